#include "actors/peer_lots.hpp"

#include <string>
#include <unordered_map>
#include <utility>

#include "actors/shard_key.hpp"

namespace tenure::actors {
namespace {

/// Fills the tables of one lot.
class lot_builder {
 public:
  lot_builder(std::uint64_t incarnation, std::uint64_t batch, std::string agent,
              const workload_table& workloads)
      : names_(&workloads) {
    lot_.incarnation = incarnation;
    lot_.agent = std::move(agent);
    lot_.content.number = batch;
  }

  workload_id enter(workload_id w) {
    if (w == workload_id::none) return w;
    const auto [it, fresh] = workloads_.try_emplace(w, workload_id::none);
    if (fresh) {
      lot_.content.workloads.push_back({std::string{names_->name(w)}, {}});
      it->second = static_cast<workload_id>(lot_.content.workloads.size());
    }
    return it->second;
  }
  void enter(const tenancy_id& id, const endpoint& where, workload_id w) {
    if (!id.none() && tenancies_.try_emplace(id, true).second)
      lot_.content.tenancies.push_back({id, where, enter(w)});
  }
  /// One more flow or evidence might pass the bounds of a batch.
  bool full() const { return lot_.content.workloads.size() + 1 >= wire::max_batch_workloads; }
  wire::batch& content() { return lot_.content; }
  wire::lot take() { return std::move(lot_); }

 private:
  const workload_table* names_;
  wire::lot lot_;
  std::unordered_map<workload_id, workload_id> workloads_;
  std::unordered_map<tenancy_id, bool> tenancies_;
};

}  // namespace

std::vector<wire::lot> flows_for_node(const flow_lot& lot, const workload_table& workloads) {
  std::vector<wire::lot> out;
  const auto& base = lot.rows.base();
  std::vector<std::byte> rows(lot.rows.bytes().begin(), lot.rows.bytes().end());
  rows.resize(rows.size() + hold::row_slack);
  hold::row_cursor cursor(base, rows.data());
  const auto new_builder = [&] {
    return lot_builder(base.incarnation, base.batch, lot.origin->agent, workloads);
  };
  auto building = new_builder();
  for (std::uint32_t n = 0; n < lot.rows.count(); ++n) {
    auto& flows = building.content().flows;
    if (flows.size() == most_flows_of_lot || building.full()) {
      out.push_back(building.take());
      building = new_builder();
    }
    flow f;
    cursor.next(f);
    building.enter(f.near_tenancy, {f.near_address, 0}, f.near_workload);
    f.near_workload =
        f.near_workload == workload_id::none ? workload_id::none : building.enter(f.near_workload);
    building.content().flows.push_back(f);
  }
  out.push_back(building.take());
  return out;
}

std::vector<wire::lot> evidence_for_node(std::span<const evidence> items, const workload_table& workloads) {
  std::vector<wire::lot> out;
  if (items.empty()) return out;
  const auto new_builder = [&] { return lot_builder(items.front().tenancy.incarnation, 1, {}, workloads); };
  auto building = new_builder();
  for (evidence e : items) {
    if (building.content().evidence.size() == most_evidence_of_lot || building.full()) {
      out.push_back(building.take());
      building = new_builder();
    }
    building.enter(e.tenancy, e.endpoint, e.workload);
    e.workload = building.enter(e.workload);
    building.content().evidence.push_back(e);
  }
  out.push_back(building.take());
  return out;
}

std::vector<hold::packed_rows> flow_sorter::sort(std::span<const flow> flows) const {
  std::vector<hold::packed_rows> out;
  for (const auto& f : flows) {
    if (out.empty())
      out.assign(shards_ + (where_ ? where_->end() - 1 : 0),
                 hold::packed_rows({f.id.incarnation, f.id.batch, f.times.closed, f.near_address.high()}));
    const auto node = where_ ? where_->owner(f.far_address) : 0;
    out[node == 0 ? shard_of(f.far_address, shards_) : shards_ + node - 1].add(f);
  }
  return out;
}

void name_again(wire::lot& lot, workload_table& workloads) {
  std::vector<workload_id> names{workload_id::none};
  for (const auto& w : lot.content.workloads)
    names.push_back(workloads.intern(w.name).value_or(workload_id::none));
  for (auto& f : lot.content.flows) f.near_workload = names[static_cast<std::size_t>(f.near_workload)];
}

}  // namespace tenure::actors
