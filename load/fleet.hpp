#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/clock.hpp"
#include "load/plan.hpp"
#include "load/played_agent.hpp"
#include "transport/asio_transport.hpp"

namespace tenure::load {

/// How the fleet is driven.
struct pace_options {
  std::vector<std::string> nodes;    ///< "host:port"; agents are spread over them, and stay
  bool spares = false;               ///< each agent keeps a second link, to another node, that takes over
  std::uint32_t flows_a_batch = 50;  ///< 1 to 4,096
  std::uint32_t together = 1;        ///< batches that an agent seals and sends at once
  double flows_a_second = 100'000;   ///< of all agents; 0: as many as go
  nanos heartbeat = 10 * second;
  nanos repeat = 60 * second;                 ///< ended holdings are reported again for so long
  std::size_t max_waiting_bytes = 16U << 20;  ///< given to the transport and not yet with the system
};

/// Within how many milliseconds this share (0 to 1) of the flow batches was acknowledged, to the next of
/// fleet_counters::step.
double acknowledged_within_ms(const fleet_counters& c, double share);

/// Plays the agents of a plan over a transport: what the production agents would send, for a small share of
/// the CPU. A batch is kept as a few numbers until it is acknowledged, and made again when it has to be sent
/// again. `step`, `seal` and `stop` on one thread; pings and acknowledgements are answered on the
/// transport's.
class fleet {
 public:
  fleet(const fleet_options& who, pace_options pace, std::shared_ptr<const agent::boot_clock> clock,
        transport::asio_transport& net);
  /// Closes what is open. @pre the transport runs, or is stopped and calls nothing any more
  ~fleet();
  fleet(const fleet&) = delete;
  fleet& operator=(const fleet&) = delete;

  /// Does what is due: dials, seals, sends. To be called again within a few milliseconds.
  void step();
  /// From now on no flows are sealed; heartbeats go on.
  void stop_flows() { flowing_ = false; }
  /// Closes this agent's connection; it connects again.
  void cut(std::uint32_t agent) { agents_[agent]->close(); }
  /// Whether every agent is welcome at its node.
  bool connected() const;
  /// Whether every batch that was sealed is acknowledged.
  bool settled() const;

  const plan& planned() const { return plan_; }
  const fleet_counters& counters() const { return counters_; }
  /// When each flow batch was sealed, which with the plan tells each flow: what was reported, and the truth.
  const sealed_book& sealed() const { return book_; }

 private:
  void seal_flows(nanos now);
  void seal_heartbeats(nanos now);
  void send_what_waits();
  void look_after_links(nanos now);
  void look_at_waiting(nanos now);
  /// Its turn to send will come.
  void let_send(std::size_t agent);
  std::uint64_t frames_that_may_go() const;

  const plan plan_;
  const pace_options pace_;
  const std::shared_ptr<const agent::boot_clock> clock_;
  transport::asio_transport& net_;
  fleet_counters counters_;
  workbench bench_;
  sealed_book book_;
  std::vector<std::shared_ptr<played_agent>> agents_;
  const nanos began_;
  nanos last_step_ = 0;
  nanos last_look_ = 0;
  double owed_flows_ = 0;
  std::uint32_t next_sealing_ = 0;
  std::deque<std::size_t> senders_;  // agents with something that waits, in the order of their turns
  std::vector<bool> sends_;          // whether it is among them
  std::uint64_t link_changes_ = 0;   // that were looked at
  bool all_linked_ = false;
  std::uint64_t heartbeats_ = 0;
  std::size_t last_frame_bytes_ = 0;
  bool flowing_ = true;
};

}  // namespace tenure::load
