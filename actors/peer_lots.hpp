#pragma once

#include <memory>
#include <span>
#include <vector>

#include "actors/lot.hpp"
#include "capnp/messages.hpp"
#include "cluster/placement.hpp"
#include "ownership/workload_table.hpp"

/// Lots between actors as lots between nodes, and back. Framework-free.
namespace tenure::actors {

/// What one wire::lot carries at most, so that its frame is well within the transport's bound.
inline constexpr std::size_t most_flows_of_lot = 8'192;
inline constexpr std::size_t most_evidence_of_lot = 4'096;

/// The flows of a lot for another node, in as many lots as they need.
std::vector<wire::lot> flows_for_node(const flow_lot& lot, const workload_table& workloads);

/// Evidence for another node. @pre all of one incarnation of an agent
std::vector<wire::lot> evidence_for_node(std::span<const evidence> items, const workload_table& workloads);

/// Flows in our own time with workloads of our table, by the way they go from here.
class flow_sorter {
 public:
  /// @param where null: all stay here
  flow_sorter(std::size_t shards, std::shared_ptr<const cluster::placement> where)
      : shards_(shards), where_(std::move(where)) {}

  /// @returns by shard; behind the shards, by the number of another node less one
  std::vector<hold::packed_rows> sort(std::span<const flow> flows) const;

 private:
  std::size_t shards_;
  std::shared_ptr<const cluster::placement> where_;
};

/// Gives the workloads of a lot that never left us back their ids of our table.
void name_again(wire::lot& lot, workload_table& workloads);

}  // namespace tenure::actors
