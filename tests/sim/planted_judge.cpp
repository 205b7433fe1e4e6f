#include "tests/sim/planted_judge.hpp"

#include <algorithm>
#include <vector>

namespace tenure::sim {

merged planted_judge::merge(const evidence& said) {
  evidence e = said;
  if (which_ == mistake::until_error_ignored) e.until_error = 0;
  if (which_ == mistake::from_error_ignored) e.from_error = 0;
  if (which_ != mistake::hull_by_name) return attributor::merge(e);
  const auto core = e.core();
  if (core.empty()) return merged::unchanged;
  auto& h =
      by_name_
          .try_emplace({e.endpoint, e.workload}, holding{e.endpoint.port, e.tenancy, e.workload, core, core})
          .first->second;
  h.tenancy = e.tenancy;
  h.sure = {std::min(h.sure.from, core.from), std::max(h.sure.until, core.until)};
  return merged::changed;
}

bool planted_judge::qualifies(const interval& hull, const flow_times& t) const {
  if (hull.empty() || t.error == unknown_error) return false;
  const auto not_before_end = [&](nanos at) {
    return which_ == mistake::non_strict_end ? hull.until >= at : hull.until > at;
  };
  if (t.is_established) {
    const nanos first = saturating_add(t.established, t.error);
    const nanos error_at_end = which_ == mistake::window_error_ignored ? 0 : t.error;
    const nanos last = saturating_sub(saturating_sub(t.last_received, t.transit), error_at_end);
    if (first <= last) return hull.from <= last && not_before_end(first);
  }
  if (t.opened == time_min) return false;
  const nanos other = t.is_established ? t.established : std::max(t.closed, t.last_received);
  const nanos begin = std::min(t.opened, t.is_established ? t.established : t.closed);
  return hull.from <= saturating_sub(begin, t.error) &&
         not_before_end(saturating_add(std::max(t.opened, other), t.error));
}

std::vector<holding> planted_judge::candidates(address far, std::uint16_t far_port) const {
  std::vector<holding> all;
  if (which_ == mistake::hull_by_name) {
    for (const auto& [key, h] : by_name_)
      if (key.first.address == far && (h.port == 0 || h.port == far_port)) all.push_back(h);
    return all;
  }
  all = timelines().holdings({far, far_port});
  if (which_ == mistake::port_before_address && !all.empty()) return all;
  const auto whole = timelines().holdings({far, 0});
  all.insert(all.end(), whole.begin(), whole.end());
  return all;
}

verdict planted_judge::attribute(address far, std::uint16_t far_port, const flow_times& times) const {
  verdict v = unattributed(reason::no_evidence);
  for (const auto& h : candidates(far, far_port)) {
    if (!qualifies(h.sure, times)) continue;
    if (!v.attributed())
      v = {h.workload, h.tenancy, basis::tenancy, reason::none};
    else if (v.workload != h.workload)
      return unattributed(reason::conflict);
    else
      v.tenancy = std::min(v.tenancy, h.tenancy);
  }
  return v;
}

void planted_judge::merge_all(std::span<const evidence> all, std::span<merged> results) {
  for (std::size_t i = 0; i < all.size(); ++i) results[i] = merge(all[i]);
}

void planted_judge::attribute_all(std::span<const question> questions, std::span<verdict> verdicts) const {
  for (std::size_t i = 0; i < questions.size(); ++i)
    verdicts[i] = attribute(questions[i].far, questions[i].far_port, questions[i].times);
}

}  // namespace tenure::sim
