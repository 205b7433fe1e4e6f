#include "agent/batcher.hpp"

#include <algorithm>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::agent {

workload_id batcher::index_of(const wire::workload& w) {
  const auto [it, fresh] = workloads_.try_emplace(w.name, workload_id::none);
  if (fresh) {
    batch_.workloads.push_back(w);
    text_bytes_ += w.name.size();
    for (const auto& [key, value] : w.labels) text_bytes_ += key.size() + value.size();
    it->second = static_cast<workload_id>(batch_.workloads.size());
  }
  return it->second;
}

void batcher::enter(const tenancy_report& report) {
  const auto [it, fresh] = tenancies_.try_emplace(report.id, batch_.tenancies.size());
  if (fresh) batch_.tenancies.push_back({report.id, report.endpoint, index_of(report.workload)});
}

void batcher::add(const tenancy_report& report) {
  if (report.until <= report.from) return;  // not verified for any time yet
  enter(report);
  const auto [it, fresh] = evidence_.try_emplace(report.id, batch_.evidence.size());
  if (fresh) {
    evidence e;
    e.endpoint = report.endpoint;
    e.tenancy = report.id;
    e.workload = index_of(report.workload);
    e.from = report.from;
    e.until = report.until;
    batch_.evidence.push_back(e);
    return;
  }
  auto& e = batch_.evidence[it->second];
  e.from = std::min(e.from, report.from);
  e.until = std::max(e.until, report.until);
}

void batcher::add(const observed_flow& observed, const tenancy_report* near, const wire::workload* named,
                  bool shed) {
  flow f = observed.flow;
  f.id = {incarnation_, batch_.number, static_cast<std::uint32_t>(batch_.flows.size())};
  f.near_workload = workload_id::none;
  if (near != nullptr) {
    enter(*near);
    f.near_workload = index_of(near->workload);
  } else {
    f.near_tenancy = {};
    if (named != nullptr) f.near_workload = index_of(*named);
  }
  ++connections_;
  if (shed && short_flows::may_share(observed)) {
    observed_flow proved = observed;
    proved.flow.near_tenancy = f.near_tenancy;
    const auto place = short_flows_.place_of(proved, f.near_workload, batch_.flows.size());
    if (place < batch_.flows.size()) return short_flows::join(batch_.flows[place], f);
  }
  batch_.flows.push_back(f);
}

wire::batch batcher::seal() {
  invariant(!empty(), "an empty batch is not sealed");
  wire::batch sealed = std::exchange(batch_, {});
  batch_.number = sealed.number + 1;
  connections_ = 0;
  short_flows_.clear();
  text_bytes_ = 0;
  workloads_.clear();
  tenancies_.clear();
  evidence_.clear();
  return sealed;
}

}  // namespace tenure::agent
