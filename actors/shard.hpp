#pragma once

#include <memory>

#include "actors/node_counters.hpp"
#include "actors/protocol.hpp"
#include "ownership/attributor.hpp"

namespace tenure::actors {

/// The timelines of the prefixes that hash to this shard, and the rule over them.
struct shard_state {
  static inline const char* name = "shard";

  std::unique_ptr<attributor> owners;
  sink_actor sink;
  std::shared_ptr<node_counters> counters;
};

/// @param routable where far ends may be attributed at all
shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self, prefix_set routable,
                                 sink_actor sink, std::shared_ptr<node_counters> counters);

}  // namespace tenure::actors
