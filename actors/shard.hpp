#pragma once

#include <map>
#include <memory>
#include <vector>

#include "actors/clocks.hpp"
#include "actors/hand_over.hpp"
#include "actors/node_counters.hpp"
#include "actors/protocol.hpp"
#include "ownership/attributor.hpp"
#include "ownership/retention.hpp"

namespace tenure::actors {

/// The timelines of the prefixes that hash to this shard, and the rule over them.
struct shard_state {
  static inline const char* name = "shard";

  std::shared_ptr<attributor> owners;
  retention kept;
  std::shared_ptr<const node_clock> clock;
  sink_actor sink;
  std::shared_ptr<node_counters> counters;
  nanos forgotten = time_min;  ///< the last cutoff
  bool timer_set = false;
  struct moving_part {
    std::uint64_t request = 0;
    std::uint32_t shard = 0;
    timeline_walk walk;
  };
  std::map<std::uint32_t, moving_part> moving;  ///< by the number of the node they go to
  // Of one lot; kept for their room.
  std::vector<question> questions;
  std::vector<bool> stays;
  // What was added to the node's gauges.
  std::size_t addresses = 0;
  std::size_t tenancies = 0;
  std::size_t bytes = 0;
};

/// @param owners the shard's alone, and empty
/// @param kept with the shard's part of the memory
shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self,
                                 std::shared_ptr<attributor> owners, retention kept,
                                 std::shared_ptr<const node_clock> clock, sink_actor sink,
                                 std::shared_ptr<node_counters> counters);

}  // namespace tenure::actors
