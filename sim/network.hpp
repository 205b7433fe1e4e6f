#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sim/agenda.hpp"
#include "sim/fault_counts.hpp"
#include "sim/process.hpp"
#include "sim/random.hpp"
#include "sim/trace_hash.hpp"
#include "transport/transport.hpp"

namespace tenure::sim {

/// Names a machine for the network: agents' and nodes' alike.
using machine_id = std::uint32_t;

/// How links behave. Links are TCP's: a frame that is lost comes later, and holds up those behind it; between
/// links any order is possible.
struct network_conditions {
  nanos delay_min = 100 * microsecond;
  nanos delay_max = 2 * millisecond;
  double loss = 0;  ///< chance that a frame is lost and comes a retransmission timeout later, each time
  double unacknowledged =
      0;               ///< chance that an acknowledgement is lost, and its link with it: all comes again
  double refused = 0;  ///< chance that a dial is refused
  double older = 0;    ///< chance that a node does not say that it reads packed batches, link by link
  nanos break_after = 30 * second;  ///< a direction that is blocked for so long ends its link
};

/// Sees what is sent; the oracle's way to the bytes.
class frame_tap {
 public:
  virtual ~frame_tap() = default;
  /// @param link the same number for both directions, and for no other link
  virtual void sent(std::uint64_t link, machine_id from, const transport::frame& f) = 0;
};

/// Every link between simulated processes.
class network {
 public:
  network(agenda& time, random draw, trace_hash& trace, fault_counts& faults, network_conditions conditions);

  /// The transport of one process, until it is `disconnect`ed.
  class port;
  std::shared_ptr<port> connect(machine_id machine, process& p);
  /// The process is gone, as after SIGKILL: its links end for the others, and it hears nothing any more.
  void disconnect(port& p);

  /// From now on frames from one machine do not reach the other; @param on false: they do again.
  void block(machine_id from, machine_id to, bool on);
  void unblock_all() { blocked_.clear(); }
  /// Frames on the way from this machine, and sent until then, come not before `until`.
  void clog(machine_id from, nanos until);
  /// Breaks one link, drawn from those that are up. @returns false when there is none.
  bool cut_one();

  void set_conditions(const network_conditions& c) { conditions_ = c; }
  const network_conditions& conditions() const { return conditions_; }
  void set_tap(frame_tap* tap) { tap_ = tap; }
  std::uint64_t frames() const { return frames_; }

 private:
  friend class port;
  struct end;
  struct packet {
    transport::frame bytes;
    nanos sent = 0;
    nanos due = 0;
    bool last = false;  ///< no frame: the other side closed
    transport::close_reason why = transport::close_reason::closed_there;
  };
  using end_ptr = std::shared_ptr<end>;

  nanos draw_delay();
  void make_older(end& from, transport::frame& welcome);
  void transmit(end& from, packet p);
  void pump(const end_ptr& to);
  bool loses(const end_ptr& to, const packet& p);
  void arm(const end_ptr& to, nanos at);
  void hear_closed(const end_ptr& e, transport::close_reason why);
  void break_link(const end_ptr& e, transport::close_reason why);
  void arrive(const end_ptr& near, const std::string& address);
  std::vector<std::string> found(const std::string& address) const;
  bool blocked(machine_id from, machine_id to) const { return blocked_.contains({from, to}); }

  agenda& time_;
  random draw_;
  trace_hash& trace_;
  fault_counts& faults_;
  network_conditions conditions_;
  frame_tap* tap_ = nullptr;
  std::map<std::string, std::pair<std::weak_ptr<port>, transport::acceptor>> listeners_;
  std::vector<std::weak_ptr<end>> ends_;
  std::set<std::pair<machine_id, machine_id>> blocked_;
  std::map<machine_id, nanos> clogged_;
  std::uint64_t frames_ = 0;
  std::uint64_t links_ = 0;
};

/// One name for all nodes.
inline constexpr const char* all_nodes = "nodes:4740";

class network::port final : public transport::transport, public std::enable_shared_from_this<port> {
 public:
  port(network& net, machine_id machine, process& p) : net_(net), machine_(machine), process_(&p) {}
  tenure::transport::link_ptr dial(const std::string& address,
                                   tenure::transport::link_events events) override;
  /// `all_nodes` stands for every node that is up, as a headless service's name does; every other name for
  /// itself.
  void resolve(const std::string& address, std::function<void(std::vector<std::string>)> done) override;
  outcome<std::uint16_t> listen(const std::string& address, tenure::transport::acceptor accept) override;
  void stop() override { net_.disconnect(*this); }

 private:
  friend class network;
  network& net_;
  machine_id machine_;
  process* process_;  ///< null once disconnected
  std::vector<std::weak_ptr<end>> ends_;
};

}  // namespace tenure::sim
