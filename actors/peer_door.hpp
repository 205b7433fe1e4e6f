#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <caf/actor_addr.hpp>
#include <caf/actor_system.hpp>

#include "actors/intake.hpp"

namespace tenure::actors {

/// Where other nodes come in: takes connections, hears each one's hello, and hands it to the intake of that
/// node's incarnation. Any thread; connections speak on the transport's.
class peer_door : public std::enable_shared_from_this<peer_door> {
 public:
  peer_door(caf::actor_system& system, std::shared_ptr<const intake_parts> parts)
      : system_(system), parts_(std::move(parts)) {}

  /// What becomes of a connection that was accepted.
  transport::link_events accept(transport::link_ptr link);
  /// Closes connections that were here at the last call too and have not said hello since.
  void hurry();
  /// This node leaves its cluster: the others are told so, those that come too.
  void leave();
  /// Ends all intakes and takes no more connections.
  void close();

 private:
  struct door;
  struct known_node {
    std::uint64_t incarnation = 0;
    intake_actor intake;
  };

  void heard(const std::shared_ptr<door>& at, transport::frame f);
  void greet(const std::shared_ptr<door>& at, const transport::frame& f);
  void ended(const std::shared_ptr<door>& at, transport::close_reason why);
  void turn_away(const std::shared_ptr<door>& at, const std::string& why, bool leaving = false);

  caf::actor_system& system_;
  const std::shared_ptr<const intake_parts> parts_;

  std::mutex mutex_;
  // Under mutex_.
  std::map<std::string, known_node> nodes_;  // by name
  std::vector<caf::actor_addr> retired_;     // of earlier incarnations, with flows of theirs still held
  std::map<std::uint64_t, std::shared_ptr<door>> waiting_;  // for a hello, in the order of arrival
  std::uint64_t accepted_ = 0;
  bool closed_ = false;
  bool leaving_ = false;
};

}  // namespace tenure::actors
