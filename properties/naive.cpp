#include "properties/naive.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace tenure::naive {
namespace {

using instants = std::set<nanos>;

instants from_to(nanos first, nanos last) {
  instants all;
  for (nanos t = first; t <= last; ++t) all.insert(t);
  return all;
}

// Everything between the least and the greatest.
instants hull(const instants& parts) {
  return parts.empty() ? parts : from_to(*parts.begin(), *parts.rbegin());
}

struct known {
  instants sure;
  instants said;
};

using tenancies = std::map<std::pair<tenancy_id, workload_id>, known>;

// By endpoint and not only by tenancy: what is said of a port says nothing about the address.
std::vector<tenancies> candidates(const std::vector<evidence>& all, address far, std::uint16_t far_port) {
  std::vector<tenancies> by_endpoint;
  std::set<std::uint16_t> ports{far_port, 0};
  for (const auto port : ports) {
    tenancies here;
    for (const auto& e : all) {
      if (e.endpoint != endpoint{far, port} || e.until <= e.from) continue;
      auto& k = here[{e.tenancy, e.workload}];
      k.said.merge(from_to(e.from, e.until - 1));
      if (e.from_error != unknown_error && e.until_error != unknown_error)
        k.sure.merge(from_to(e.from + e.from_error, e.until - e.until_error - 1));
    }
    for (auto& [name, k] : here) k = {hull(k.sure), hull(k.said)};
    by_endpoint.push_back(here);
  }
  return by_endpoint;
}

struct question {
  bool all = false;  // all of the instants, or any
  instants when;
};

question asked(const flow_times& t, nanos error) {
  if (!t.is_established)
    return {true, from_to(std::min(t.opened, t.closed) - error,
                          std::max({t.opened, t.closed, t.last_received}) + error)};
  const auto window = from_to(t.established + error, t.last_received - t.transit - error);
  if (!window.empty()) return {false, window};
  return {true,
          from_to(std::min(t.opened, t.established) - error, std::max(t.opened, t.established) + error)};
}

bool answers(const instants& held, const question& q) {
  const auto in_hull = [&held](nanos t) { return held.contains(t); };
  return q.all ? std::all_of(q.when.begin(), q.when.end(), in_hull)
               : std::any_of(q.when.begin(), q.when.end(), in_hull);
}

reason where(const std::vector<tenancies>& by_endpoint, const question& q) {
  instants sure;
  instants said;
  for (const auto& here : by_endpoint) {
    for (const auto& [name, k] : here) {
      sure.insert(k.sure.begin(), k.sure.end());
      said.insert(k.said.begin(), k.said.end());
    }
  }
  const auto& any = sure.empty() ? said : sure;
  if (*q.when.begin() < *any.begin()) return reason::before_first;
  if (*q.when.rbegin() > *any.rbegin()) return reason::after_last;
  return reason::between;
}

}  // namespace

verdict resolve(const std::vector<evidence>& all, address far, std::uint16_t far_port,
                const flow_times& times) {
  const auto by_endpoint = candidates(all, far, far_port);
  const bool clock_known = times.error != unknown_error;
  const question with_error = asked(times, clock_known ? times.error : 0);
  const question without_error = asked(times, 0);
  std::set<workload_id> workloads;
  std::map<tenancy_id, nanos> proved;  // and their last instants
  bool heard = false;
  bool nearly = false;
  for (const auto& here : by_endpoint) {
    for (const auto& [name, k] : here) {
      heard = true;
      nearly = nearly || answers(k.said, without_error);
      if (clock_known && answers(k.sure, with_error)) {
        nanos& last = proved.try_emplace(name.first, time_min).first->second;
        last = std::max(last, static_cast<nanos>(*k.sure.rbegin()));
        workloads.insert(name.second);
      }
    }
  }
  if (workloads.size() > 1) return unattributed(reason::conflict);
  if (workloads.size() == 1) {
    const auto furthest = std::max_element(proved.begin(), proved.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
    return {*workloads.begin(), furthest->first, basis::tenancy, reason::none};
  }
  if (!heard) return unattributed(reason::no_evidence);
  if (nearly) return unattributed(reason::clock);
  return unattributed(where(by_endpoint, with_error));
}

}  // namespace tenure::naive
