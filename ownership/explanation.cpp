#include "ownership/explanation.hpp"

#include <algorithm>
#include <tuple>

namespace tenure {

namespace {

considered consider(const endpoint& e, const holding& h, const std::optional<need>& asked) {
  considered c{e, h, false, std::nullopt};
  if (!asked) return c;
  c.qualifies = asked->met_by(h.sure);
  const nanos both_from = std::max(asked->first, h.sure.from);
  if (!h.sure.empty() && both_from <= asked->last && both_from < h.sure.until) c.instant = both_from;
  return c;
}

nanos distance(const interval& i, const need& n) {
  if (i.from > n.last) return saturating_sub(i.from, n.last);
  if (i.until <= n.first) return saturating_sub(n.first, i.until);
  return 0;
}

}  // namespace

explanation explain(const attributor& who, address far, std::uint16_t far_port, const flow_times& times) {
  explanation x{who.attribute(far, far_port, times), times, std::nullopt, {}};
  if (unroutable(who.routable(), far) != reason::none) return x;
  if (times.error != unknown_error) x.asked = needed(times, times.error);
  std::vector<endpoint> endpoints{{far, 0}};
  if (far_port != 0) endpoints.push_back({far, far_port});
  for (const auto& e : endpoints)
    for (const auto& h : who.timelines().holdings(e)) x.all.push_back(consider(e, h, x.asked));
  const need near = needed(times, 0);
  const auto rank = [&](const considered& c) {
    const bool is_answer = x.answer.attributed() && c.holding.tenancy == x.answer.tenancy;
    return std::tuple(!is_answer, !c.qualifies, distance(c.holding.said, near), c.holding.tenancy);
  };
  std::sort(x.all.begin(), x.all.end(),
            [&rank](const considered& a, const considered& b) { return rank(a) < rank(b); });
  return x;
}

}  // namespace tenure
