#include "actors/batch_placing.hpp"

#include <functional>
#include <utility>

#include "actors/place_in_time.hpp"
#include "actors/shard_key.hpp"
#include "ownership/attributor.hpp"

namespace tenure::actors {

namespace {

// A session keeps no more room than this for the names of its next batch.
constexpr std::size_t names_kept = 64;

}  // namespace

batch_placing::batch_placing(std::shared_ptr<const session_settings> settings,
                             std::shared_ptr<workload_table> workloads,
                             std::shared_ptr<node_counters> counters)
    : settings_(std::move(settings)),
      workloads_(std::move(workloads)),
      counters_(std::move(counters)),
      share_(settings_->shares) {}

void batch_placing::connected(std::uint64_t incarnation, permit may) {
  incarnation_ = incarnation;
  permit_ = std::move(may);
  claim_refused_ = false;
}

void batch_placing::claim_all(const std::vector<std::string_view>& all) {
  names_.assign(all.size() + 1, {});
  if (permit_.everything()) {
    workloads_->find_all(
        all.size(), [&](std::size_t i) { return all[i]; },
        [&](std::size_t i, workload_id id) { names_[i + 1].id = id; });
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (names_[i + 1].id == workload_id::none) names_[i + 1] = claim(all[i]);
}

// A name that may be claimed nowhere, or is one too many, takes no room in the table.
claimed_workload batch_placing::claim(std::string_view name) {
  claimed_workload w;
  if (!permit_.everything()) {
    w.where = permit_.reach_of(name);
    if (w.where.empty()) return w;
  }
  if (const auto known = workloads_->find(name)) {
    w.id = *known;
  } else if (!share_.admits_workload()) {
    ++counters_->workloads_over_share;
  } else if (const auto id = workloads_->intern(name)) {
    w.id = *id;
  } else {
    ++counters_->workloads_refused;
  }
  return w;
}

/// @param index of the workload, from 1
bool batch_placing::refuses(const claimed_workload& w, const address& where, const wire::received_batch& b,
                            std::size_t index) {
  if (permit_.everything() || contains(w.where, where)) return false;
  ++counters_->claims_refused;
  if (!std::exchange(claim_refused_, true))
    refused_claim_ = "may not claim " + where.to_string() + " for " + std::string(b.workloads()[index - 1]);
  return true;
}

/// @param index of a flow's near workload, from 1; 0: it has none @param near where that flow says it was
workload_id batch_placing::near_end(const wire::received_batch& b, std::size_t index, const address& near) {
  const auto& w = names_[index];
  return index > 0 && refuses(w, near, b, index) ? workload_id::none : w.id;
}

placed_batch batch_placing::place(const wire::received_batch& b, const clock_bound& clock,
                                  const clock_shift& shift, nanos now) {
  placed_batch out;
  out.number = b.number();
  if (settings_->placement) out.where = settings_->placement();
  claim_all(b.workloads());
  if (b.evidence_count() > 0) place_evidence(b, clock, now, out);
  if (b.flow_count() > 0) place_flows(b, clock, shift, out);
  if (names_.capacity() > names_kept) claimed_workloads().swap(names_);
  return out;
}

void batch_placing::place_flows(const wire::received_batch& b, const clock_bound& clock,
                                const clock_shift& shift, placed_batch& out) {
  const std::function<void(flow_times&)> place_one = [&clock](flow_times& t) { place_in_time(clock, t); };
  const hold::row_placer placer(b.rows(), shift, place_one);
  const std::size_t shards = settings_->shards;
  const std::size_t ways = shards + (out.where ? out.where->end() - 1 : 0);
  out.flows.reserve(ways);
  for (std::size_t i = 0; i < ways; ++i) out.flows.emplace_back(placer.base(), b.flow_count() / ways * 5 / 4);
  hold::received_cursor cursor(b.rows());
  hold::received_row r;
  std::uint64_t joined = 0;
  std::uint64_t unproved = 0;
  for (std::size_t n = b.flow_count(); n > 0; --n) {
    cursor.next(r);
    const auto near = permit_.everything() ? address() : cursor.near_address(r);
    const auto node = out.where ? out.where->owner(r.far) : 0;
    const auto way = node == 0 ? shard_of(r.far, shards) : shards + node - 1;
    const auto name = near_end(b, r.near_name, near);
    placer.add(out.flows[way], cursor, r, name);
    joined += r.connections - 1;
    if (name == workload_id::none) ++unproved;
  }
  counters_->near_unproved += unproved;
  counters_->connections_joined += joined;
}

void batch_placing::place_evidence(const wire::received_batch& b, const clock_bound& clock, nanos now,
                                   placed_batch& out) {
  out.items.reserve(b.evidence_count());
  b.each_evidence([&](evidence& e) {
    const auto index = static_cast<std::size_t>(e.workload);
    const auto& name = names_[index];
    if (index > 0 && refuses(name, e.endpoint.address, b, index)) return;
    e.workload = name.id;
    const bool routable = unroutable(settings_->routable, e.endpoint.address) == reason::none;
    if (e.workload == workload_id::none || !routable || !place_in_time(clock, e)) {
      ++counters_->evidence_refused;
      return;
    }
    const auto room = share_.admits_tenancy(e.tenancy.sequence, e.endpoint, e.workload, now);
    if (room != admitted::yes) {
      ++(room == admitted::elsewhere ? counters_->evidence_refused : counters_->tenancies_over_share);
      return;
    }
    out.items.push_back(e);
  });
}

}  // namespace tenure::actors
