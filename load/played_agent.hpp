#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/clock.hpp"
#include "agent/ping_wait.hpp"
#include "capnp/codec.hpp"
#include "load/plan.hpp"
#include "transport/transport.hpp"

namespace tenure::load {

/// What a fleet counted. Any thread reads.
struct fleet_counters {
  using counter = std::atomic<std::uint64_t>;
  counter connects{0};     ///< welcomes
  counter disconnects{0};  ///< links that ended, dials that failed among them
  counter frames_sent{0};  ///< given to the transport, of any kind
  counter batches_sealed{0};
  counter batches_sent{0};  ///< repeats included
  counter batches_repeated{0};
  counter batches_acknowledged{0};
  counter flows_sealed{0};
  counter flows_sent{0};  ///< the first time
  counter flows_repeated{0};
  counter flows_acknowledged{0};
  counter evidence_sealed{0};
  counter messages_refused{0};  ///< from a node
  counter goodbyes{0};
  /// Flow batches by the time from sealing to acknowledgement: [n] is n to n + 1 of `step`, the last one all
  /// that took longer.
  static constexpr nanos step = 10 * millisecond;
  std::array<counter, 20'000> acknowledged_after{};
};

/// When each batch with flows was sealed: [agent][number]; 0 for one without flows. True time.
class sealed_book {
 public:
  explicit sealed_book(std::uint32_t agents) : at_(agents) {}
  void enter(std::uint32_t agent, std::uint64_t number, nanos at) {
    at_[agent].resize(number + 1);
    at_[agent][number] = at;
  }
  /// 0 when there is none.
  nanos at(std::uint32_t agent, std::uint64_t number) const {
    return number < at_[agent].size() ? at_[agent][number] : 0;
  }
  const std::vector<std::vector<nanos>>& all() const { return at_; }

 private:
  std::vector<std::vector<nanos>> at_;
};

/// What the agents of one fleet make frames with, one at a time: the driving thread's own, kept for its room.
struct workbench {
  wire::batch tables;
  wire::message evidence{wire::batch{}};
  std::vector<std::uint32_t> workload_places;
  // What was held on the host of an agent, of one heartbeat.
  std::vector<holding> holdings;
  std::uint32_t agent = 0;
  nanos sealed = -1;
  nanos since = 0;
};

/// One agent of a fleet. Functions are called by the thread that drives the fleet, events come from the
/// transport's.
class played_agent : public std::enable_shared_from_this<played_agent> {
 public:
  played_agent(const plan& p, std::uint32_t who, const agent::boot_clock& clock, fleet_counters& counters,
               workbench& bench);

  /// Seals so many flows as the next batch. @returns its number.
  std::uint64_t seal_flows(nanos now, std::uint32_t flows);
  /// Seals a heartbeat: all that is held or ended since then, in batches.
  void seal_heartbeat(nanos now, nanos since);

  bool has_link() const;
  bool welcomed() const;
  /// Whether it was welcomed since the last call: the node may know nothing yet.
  bool freshly_welcomed();
  bool settled() const;
  /// Whether a batch waits to be sent, now or when it may be.
  bool waits() const;
  void dial(transport::transport& net, const std::string& node);
  /// A second link, over which the node learns the agent's clock; it takes the place of one that is lost.
  void dial_spare(transport::transport& net, const std::string& node);
  /// When it may dial again.
  nanos redial_at() const;
  /// Sends the next batch that waits to be sent; one may wait for a ping that was promised, and
  /// counts as sent.
  /// @returns its frame's bytes; 0 when nothing may be sent.
  std::size_t send_next();
  /// Sends what waits for a ping that is late.
  void look_at_waiting(nanos now);
  void close();

 private:
  struct kept {
    nanos sealed = 0;
    nanos since = 0;          // of a heartbeat
    std::uint32_t first = 0;  // of a heartbeat: where this batch begins in all that it says
    std::uint32_t count = 0;
    bool flows = false;
    bool sent = false;
    bool acknowledged = false;
  };

  struct end {
    transport::link_ptr link;
    std::uint64_t number = 0;
    std::string node;
    bool welcomed = false;
    bool packed = false;  ///< it reads packed batches
    std::uint64_t credit = 0;
    agent::ping_wait waiting;
  };

  void dial(end& to, transport::transport& net, const std::string& node);
  void begin_sending();
  void received(std::uint64_t link, const transport::frame& f);
  void closed(std::uint64_t link);
  void acknowledged(std::uint64_t number, nanos now);
  auto sender(end& over);
  wire::frame encode_flows(std::uint64_t number, const kept& k, bool packed);
  wire::frame encode_evidence(std::uint64_t number, const kept& k);
  /// All that a heartbeat says.
  const std::vector<holding>& holdings(nanos sealed, nanos since);

  const plan& plan_;
  const std::uint32_t who_;
  const agent::boot_clock& clock_;
  fleet_counters& counters_;
  workbench& bench_;

  mutable std::mutex mutex_;
  // Under mutex_.
  end main_;
  end spare_;
  std::uint64_t last_number_ = 0;  // of a link
  bool fresh_ = false;
  nanos spare_at_ = 0;            // not dialed before
  std::uint64_t sent_bytes_ = 0;  // of batches over this link
  nanos redial_at_ = 0;
  std::uint32_t failed_dials_ = 0;
  std::deque<kept> kept_;  // from number first_ on, without gaps
  std::uint64_t first_ = 1;
  std::uint64_t next_to_send_ = 1;  // a number; beyond the last one when nothing waits
};

}  // namespace tenure::load
