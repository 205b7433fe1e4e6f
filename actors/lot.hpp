#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/flow_ledger.hpp"
#include "actors/lot_parts.hpp"
#include "actors/shared_budget.hpp"
#include "hold/block_pool.hpp"
#include "hold/packed_flow.hpp"
#include "ownership/evidence.hpp"
#include "ownership/verdict.hpp"

/// What actors pass on: lots, never single flows. A lot does not change once it is sent; only the pointer
/// moves.
namespace tenure::actors {

/// Evidence for endpoints of one shard. Stamps of cluster time; workloads of the node's table.
struct evidence_lot {
  std::vector<evidence> items;
  /// What they take while they are on their way, which a shard may be slower to end than agents to begin: no
  /// credit is given for that memory meanwhile.
  evidence_room taken;

  std::size_t bytes() const { return items.capacity() * sizeof(evidence); }
};

/// Flows of one destination shard, of one batch (rows.base().batch). Stamps of cluster time; workloads of the
/// node's table.
struct flow_lot {
  flow_origin_ptr origin;
  hold::packed_rows rows;
  std::uint64_t ticket = 0;  ///< what the origin calls them: its batch, or its lot
};

/// Flows of many batches that waited together and are due: rows of one part after those of the other.
struct due_lot {
  hold::block_ptr memory;  ///< keeps the rows
  const std::byte* rows = nullptr;
  lot_parts parts;
  std::uint32_t flows = 0;  ///< of all parts
  nanos arrived = 0;        ///< the last of them, cluster time
  /// Everything has to be resolved for good; otherwise what only lacks evidence may go back to wait.
  bool last = true;
};

/// A resolved lot: `verdicts[i]` is the answer about the far end of its i-th flow.
struct resolved_lot {
  std::shared_ptr<const due_lot> lot;
  std::vector<verdict> verdicts;
};

/// Some flows of a batch, by what was answered.
struct batch_share {
  std::uint64_t batch = 0;  ///< the ticket of their flow_lot
  answer_counts<std::uint32_t> answers{};
  std::uint32_t forwarded = 0;  ///< answered by another node
};
/// Of batches of one session, or lots of one intake.
using batch_shares = std::vector<batch_share>;

/// By point of the ring, those whose timelines move; empty: none.
using moving_points = std::vector<bool>;

/// Timelines of these points are to go to another node.
struct moving_request {
  std::uint32_t to = 0;  ///< its number
  std::uint64_t number = 0;
  moving_points points;
};

/// What one shard has of it, a piece at a time.
struct moving_chunk {
  std::uint64_t request = 0;
  std::uint32_t shard = 0;
  bool last = false;
  std::vector<evidence> items;  ///< by incarnation
};

using moving_request_ptr = std::shared_ptr<const moving_request>;
using moving_chunk_ptr = std::shared_ptr<const moving_chunk>;
using evidence_lot_ptr = std::shared_ptr<const evidence_lot>;
using flow_lot_ptr = std::shared_ptr<const flow_lot>;
using flow_lots_ptr = std::shared_ptr<const std::vector<flow_lot>>;
using due_lot_ptr = std::shared_ptr<const due_lot>;
using resolved_lot_ptr = std::shared_ptr<const resolved_lot>;
using batch_shares_ptr = std::shared_ptr<const batch_shares>;

}  // namespace tenure::actors
