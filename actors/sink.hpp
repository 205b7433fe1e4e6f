#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "actors/clocks.hpp"
#include "actors/node_counters.hpp"
#include "actors/protocol.hpp"
#include "sinks/record_sink.hpp"

namespace tenure::actors {

/// Writes resolved lots in order and confirms them when they are durable: many lots share one sync, and one
/// confirmation a session.
struct sink_state {
  static inline const char* name = "sink";

  std::shared_ptr<sinks::record_sink> out;
  std::shared_ptr<const workload_table> workloads;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
  std::string region;
  using written = std::vector<std::pair<flow_origin_ptr, std::shared_ptr<batch_shares>>>;
  /// Since the last sync began, in the order of writing.
  written unconfirmed;
  std::unordered_map<const flow_origin*, std::size_t> place_of;  ///< in `unconfirmed`
  std::size_t latest = 0;                                        ///< the place that was written to last
  written in_sync;       ///< before the last sync, and not known to be durable
  bool syncing = false;  ///< it has not ended
  nanos sync_began = 0;  ///< when it was asked for
  bool timer_set = false;
  std::shared_ptr<nanos> writers_cpu =
      std::make_shared<nanos>(0);  ///< up to the last sync; the thread's alone
  /// While the output is full or busy: so much at most as may be on its way from the hold (most_released).
  std::deque<resolved_lot_ptr> waiting;
  // Lots that came, and so many of them as the last sync covers, and as are durable.
  std::uint64_t came = 0;
  std::uint64_t in_sync_up_to = 0;
  std::uint64_t durable_up_to = 0;
  /// To be answered when so many are durable.
  std::vector<std::pair<std::uint64_t, caf::typed_response_promise<bool>>> drains;
};

/// What a sink needs besides its counters.
struct sink_settings {
  std::shared_ptr<const workload_table> workloads;
  std::shared_ptr<const node_clock> clock;
  std::string region;
};

/// It never waits for `out`. While `out` is full it confirms nothing, and tries
/// again and again. Quits with caf::exit_reason::unhandled_exception after a failure of `out`, which is
/// final: what was not confirmed stays with the agents.
/// @param out taken over
sink_actor::behavior_type sink(sink_actor::stateful_pointer<sink_state> self,
                               std::shared_ptr<sinks::record_sink> out, sink_settings settings,
                               std::shared_ptr<node_counters> counters);

}  // namespace tenure::actors
