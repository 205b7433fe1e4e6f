#include "ownership/timeline.hpp"

#include <algorithm>
#include <tuple>

namespace tenure {

namespace {

// Grows `hull` so that it holds `part` too. An empty one adds nothing, wherever it lies.
bool grow(interval& hull, const interval& part) {
  if (part.empty()) return false;
  const interval grown =
      hull.empty() ? part : interval{std::min(hull.from, part.from), std::max(hull.until, part.until)};
  const bool changed = grown != hull;
  hull = grown;
  return changed;
}

}  // namespace

bool timeline::merge(const evidence& e) {
  const interval said = e.said();
  const interval core = e.core();
  if (said.empty()) return false;

  // Kept in the order of (tenancy, workload): the same evidence gives the same timeline whatever order it
  // came in.
  const auto key = std::tie(e.tenancy, e.workload);
  auto at = std::lower_bound(
      holdings_.begin(), holdings_.end(), key,
      [](const holding& h, const auto& wanted) { return std::tie(h.tenancy, h.workload) < wanted; });
  if (at == holdings_.end() || std::tie(at->tenancy, at->workload) != key) {
    holdings_.insert(at, {e.tenancy, e.workload, core.empty() ? interval{} : core, said});
    return true;
  }
  const bool sure_grew = grow(at->sure, core);
  const bool said_grew = grow(at->said, said);
  return sure_grew || said_grew;
}

}  // namespace tenure
