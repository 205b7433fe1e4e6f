#pragma once

#include "actors/clocks.hpp"
#include "actors/hold_queue.hpp"
#include "actors/node_counters.hpp"
#include "actors/protocol.hpp"

namespace tenure::actors {

/// Holds flows for its shard.
struct delay_state {
  static inline const char* name = "delay";

  std::unique_ptr<hold_queue> held;
  shard_actor shard;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
  bool draining = false;
  bool left = false;  ///< others judge what is held here
  // As it was last added to the gauges.
  std::size_t flows = 0;
  std::size_t bytes = 0;
  std::vector<nanos> timers;  ///< that are set, the next to fire last
};

/// So many flows of a node may be on their way from its delay actors to the output. When the output cannot
/// keep up, or has no room, the others go on waiting in the hold, where they are small and counted against
/// the budget; agents run out of credit, and wait too.
inline constexpr std::uint64_t most_released = 256U << 10;

delay_actor::behavior_type delay(delay_actor::stateful_pointer<delay_state> self,
                                 const hold_settings& settings, std::shared_ptr<hold::block_pool> memory,
                                 shard_actor shard, std::shared_ptr<const node_clock> clock,
                                 std::shared_ptr<node_counters> counters);

}  // namespace tenure::actors
