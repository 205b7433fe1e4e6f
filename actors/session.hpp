#pragma once

#include <memory>
#include <vector>

#include "actors/clocks.hpp"
#include "actors/protocol.hpp"
#include "actors/session_protocol.hpp"

namespace tenure::actors {

/// Where a session routes to: one delay actor and one shard for each shard number.
struct session_routes {
  std::vector<shard_actor> shards;
  std::vector<delay_actor> delays;
};

/// Drives a session_protocol: frames in, lots and frames out.
struct session_state {
  static inline const char* name = "session";

  std::unique_ptr<session_protocol> protocol;
  std::shared_ptr<const session_routes> routes;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
  transport::link_ptr link;
  flow_origin_ptr origin;  ///< since the agent said its name
  bool refused = false;    ///< the protocol was broken, and that has been said
};

/// What sessions of one node are made from.
struct session_parts {
  std::shared_ptr<const session_settings> settings;
  std::shared_ptr<const session_routes> routes;
  std::shared_ptr<workload_table> workloads;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
};

/// @param link the agent's; closed when the session ends.
session_actor::behavior_type session(session_actor::stateful_pointer<session_state> self,
                                     std::shared_ptr<const session_parts> parts, transport::link_ptr link);

}  // namespace tenure::actors
