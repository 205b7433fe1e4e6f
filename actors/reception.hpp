#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include <caf/actor_system.hpp>

#include "actors/session.hpp"

namespace tenure::actors {

/// Agents that are away and remembered. Some ten kilobytes each: what their clocks showed, and which batches
/// are durable.
inline constexpr std::size_t max_resting = 8'192;

/// The front door of a node: takes connections, hears each one's hello, and hands it to the session of that
/// agent's incarnation, which may be there from an earlier connection. Any thread; connections speak on the
/// transport's.
class reception : public std::enable_shared_from_this<reception> {
 public:
  reception(caf::actor_system& system, std::shared_ptr<const session_parts> parts, std::size_t max_sessions);

  /// What becomes of a connection that was accepted.
  transport::link_events accept(transport::link_ptr link);

  /// Closes connections that were here at the last call too and have not said hello since.
  void hurry();

  /// The agent of this incarnation is away, its session remembers it. Of too many, the longest away is
  /// forgotten, as soon as none of its flows are held any more.
  /// @param arrivals connections it had been given by then
  void rests(std::uint64_t incarnation, std::uint64_t arrivals);

  /// The session of this incarnation would like to end, having been given so many connections.
  /// @returns false when it has been given another one meanwhile: then it stays.
  bool leave(std::uint64_t incarnation, std::uint64_t arrivals);

  /// This node drains: no agent is promised a ping any more, nor kept waiting for what one would bring.
  void promise_nothing();

  /// This node leaves its cluster: agents are sent to others, those that come too.
  void leave();

  /// Ends all sessions and takes no more connections.
  void close();

 private:
  struct door;
  struct known_session {
    session_actor session;
    std::uint64_t arrivals = 0;
    std::string identity;     ///< the certificate's that brought it; empty without TLS
    std::uint64_t place = 0;  ///< among those that rest; 0: none
  };

  void rises(known_session& known);
  void heard(const std::shared_ptr<door>& at, transport::frame f);
  void ended(const std::shared_ptr<door>& at, transport::close_reason why);
  void greet(const std::shared_ptr<door>& at, const transport::frame& f);
  const char* seat(const std::shared_ptr<door>& at);
  void turn_away(const std::shared_ptr<door>& at, const std::string& why, bool leaving = false);

  caf::actor_system& system_;
  const std::shared_ptr<const session_parts> parts_;
  const std::size_t max_sessions_;

  std::mutex mutex_;
  // Under mutex_.
  std::unordered_map<std::uint64_t, known_session> sessions_;  // by incarnation
  std::map<std::uint64_t, std::shared_ptr<door>> waiting_;     // for a hello, by number
  std::uint64_t accepted_ = 0;
  std::map<std::uint64_t, std::uint64_t> resting_;  // incarnations by place, the longest away first
  std::uint64_t rested_ = 0;
  bool closed_ = false;
  bool leaving_ = false;
  bool draining_ = false;  // and promises nothing
};

}  // namespace tenure::actors
