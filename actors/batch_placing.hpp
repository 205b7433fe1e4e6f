#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/agent_share.hpp"
#include "actors/allow_rules.hpp"
#include "actors/node_counters.hpp"
#include "actors/session_settings.hpp"
#include "actors/shared_budget.hpp"
#include "capnp/received_batch.hpp"
#include "cluster/placement.hpp"
#include "hold/packed_flow.hpp"
#include "ownership/clock_bound.hpp"
#include "ownership/clock_shift.hpp"
#include "ownership/workload_table.hpp"

namespace tenure::actors {

/// A batch in cluster time, with workloads of the node's table.
struct placed_batch {
  std::uint64_t number = 0;
  std::vector<evidence> items;
  evidence_room taken;  ///< by them, until lots take it
  /// Where evidence goes; null: everything stays on this node.
  std::shared_ptr<const cluster::placement> where;
  /// By the shard of their far end (shard_of), ready to be held; behind the shards, those for other nodes, by
  /// their number less one.
  std::vector<hold::packed_rows> flows;
};

/// A workload of a batch: its id in the node's table, and where it may be claimed.
struct claimed_workload {
  workload_id id = workload_id::none;
  permit::reach where;  // of no meaning when everything may be claimed
};
/// By 1 + the index in the batch; the first one stands for none.
using claimed_workloads = std::vector<claimed_workload>;

/// Brings an agent's batches into cluster time. What the agent may not claim, what is beyond its share and
/// what cannot be placed is left out and counted. One thread.
class batch_placing {
 public:
  batch_placing(std::shared_ptr<const session_settings> settings, std::shared_ptr<workload_table> workloads,
                std::shared_ptr<node_counters> counters);

  /// Begins anew with what a connection may claim. @param incarnation always the same
  void connected(std::uint64_t incarnation, permit may);

  /// @pre the clock was read after the last stamp. @param shift made of `clock` @param now cluster time
  placed_batch place(const wire::received_batch& b, const clock_bound& clock, const clock_shift& shift,
                     nanos now);

  /// The first thing of this connection that the agent claimed and may not, once, for people; otherwise
  /// empty.
  std::string refused_claim() { return std::exchange(refused_claim_, {}); }

 private:
  void claim_all(const std::vector<std::string_view>& all);
  claimed_workload claim(std::string_view name);
  bool refuses(const claimed_workload& w, const address& where, const wire::received_batch& b,
               std::size_t index);
  workload_id near_end(const wire::received_batch& b, std::size_t index, const address& near);
  void place_flows(const wire::received_batch& b, const clock_bound& clock, const clock_shift& shift,
                   placed_batch& out);
  void place_evidence(const wire::received_batch& b, const clock_bound& clock, nanos now, placed_batch& out);

  std::shared_ptr<const session_settings> settings_;
  std::shared_ptr<workload_table> workloads_;
  std::shared_ptr<node_counters> counters_;
  agent_share share_;
  std::uint64_t incarnation_ = 0;
  permit permit_;
  bool claim_refused_ = false;  // by this connection
  std::string refused_claim_;
  claimed_workloads names_;  // of the batch that is placed
};

}  // namespace tenure::actors
