#pragma once

#include "actors/clocks.hpp"
#include "actors/hold_queue.hpp"
#include "actors/protocol.hpp"

namespace tenure::actors {

/// Holds lots for its shard.
struct delay_state {
  static inline const char* name = "delay";

  hold_queue held{0};
  shard_actor shard;
  std::shared_ptr<const node_clock> clock;
  bool timer_set = false;
};

delay_actor::behavior_type delay(delay_actor::stateful_pointer<delay_state> self, nanos hold,
                                 shard_actor shard, std::shared_ptr<const node_clock> clock);

}  // namespace tenure::actors
