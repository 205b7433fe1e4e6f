#include "actors/batch_placing.hpp"

#include <utility>

#include "actors/place_in_time.hpp"
#include "actors/shard_key.hpp"
#include "ownership/attributor.hpp"

namespace tenure::actors {

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

waiting_batch batch_placing::take_apart(wire::received_batch&& b) {
  waiting_batch w;
  w.number = b.number();
  w.flows = b.flow_count();
  w.last_stamp = b.last_stamp();
  claimed_workloads names = claim_all(b.workloads());
  pack(b, names, w);
  if (b.evidence_count() > 0) {
    w.names = std::move(names);
    w.said = std::move(b);
  }
  return w;
}

claimed_workloads batch_placing::claim_all(const std::vector<std::string_view>& all) {
  claimed_workloads out(all.size() + 1);
  if (permit_.everything()) {
    workloads_->find_all(
        all.size(), [&](std::size_t i) { return all[i]; },
        [&](std::size_t i, workload_id id) { out[i + 1].id = id; });
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (out[i + 1].id == workload_id::none) out[i + 1] = claim(all[i]);
  return out;
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

void batch_placing::name_near_end(const wire::received_batch& b, const claimed_workloads& names, flow& f,
                                  waiting_batch& out) {
  const auto index = static_cast<std::size_t>(f.near_workload);
  const auto& w = names[index];
  f.near_workload = index > 0 && refuses(w, f.near_address, b, index) ? workload_id::none : w.id;
  if (f.near_workload != workload_id::none) return;
  f.near_tenancy = {};
  ++out.near_unproved;
}

void batch_placing::pack(const wire::received_batch& b, const claimed_workloads& names, waiting_batch& out) {
  if (b.flow_count() == 0) return;
  const auto where = settings_->placement ? settings_->placement() : nullptr;
  b.each_flow([&](flow& f) {
    name_near_end(b, names, f, out);
    out.joined += f.connections - 1;
    if (out.rows.empty()) {
      const hold::row_base base{incarnation_, b.number(), f.times.closed, f.near_address.high()};
      const std::size_t ways = settings_->shards + (where ? where->end() - 1 : 0);
      for (std::size_t i = 0; i < ways; ++i) out.rows.emplace_back(base, b.flow_count() / ways * 5 / 4);
    }
    const auto node = where ? where->owner(f.far_address) : 0;
    const auto way = node == 0 ? shard_of(f.far_address, settings_->shards) : settings_->shards + node - 1;
    out.rows[way].add(f);
  });
}

placed_batch batch_placing::place(waiting_batch&& w, const clock_bound& clock, const clock_shift& shift,
                                  nanos now) {
  placed_batch out;
  out.number = w.number;
  if (settings_->placement) out.where = settings_->placement();
  if (w.said) place_evidence(w, clock, now, out);
  const auto place_one = [&clock](flow_times& t) { place_in_time(clock, t); };
  out.flows.reserve(w.rows.size());
  for (auto& rows : w.rows) out.flows.push_back(rows.place(shift, place_one));
  counters_->near_unproved += w.near_unproved;
  counters_->connections_joined += w.joined;
  return out;
}

void batch_placing::place_evidence(const waiting_batch& w, const clock_bound& clock, nanos now,
                                   placed_batch& out) {
  const auto& b = *w.said;
  out.items.reserve(b.evidence_count());
  b.each_evidence([&](evidence& e) {
    const auto index = static_cast<std::size_t>(e.workload);
    const auto& name = w.names[index];
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
