#pragma once

#include <memory>

#include "actors/node_counters.hpp"
#include "actors/protocol.hpp"
#include "ownership/attributor.hpp"

namespace tenure::actors {

/// The timelines of the prefixes that hash to this shard, and the rule over them.
struct shard_state {
  static inline const char* name = "shard";

  std::shared_ptr<attributor> owners;
  sink_actor sink;
  std::shared_ptr<node_counters> counters;
};

/// @param owners the shard's alone, and empty
shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self,
                                 std::shared_ptr<attributor> owners, sink_actor sink,
                                 std::shared_ptr<node_counters> counters);

}  // namespace tenure::actors
