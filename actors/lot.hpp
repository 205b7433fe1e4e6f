#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_control_block.hpp>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"
#include "ownership/verdict.hpp"

/// What actors pass on: lots, never single flows. A lot does not change once it is sent; only the pointer
/// moves.
namespace tenure::actors {

/// Evidence for endpoints of one shard. Stamps of cluster time; workloads of the node's table.
struct evidence_lot {
  std::vector<evidence> items;
};

/// Where a lot came from, so that its durability can be told to the session that keeps the ledger of its
/// batch.
struct lot_origin {
  caf::strong_actor_ptr session;  ///< a session_actor, perhaps long gone
  std::uint64_t batch = 0;
  std::shared_ptr<const std::string> agent;  ///< the agent's name
};

/// Flows of one destination shard, of one batch. Stamps of cluster time; workloads of the node's table.
struct flow_lot {
  lot_origin origin;
  std::vector<flow> flows;
};

/// A resolved lot: `verdicts[i]` is the answer about the far end of `lot->flows[i]`.
struct resolved_lot {
  std::shared_ptr<const flow_lot> lot;
  std::vector<verdict> verdicts;
};

using evidence_lot_ptr = std::shared_ptr<const evidence_lot>;
using flow_lot_ptr = std::shared_ptr<const flow_lot>;
using resolved_lot_ptr = std::shared_ptr<const resolved_lot>;

}  // namespace tenure::actors
