#include "ownership/retention.hpp"

#include <algorithm>

namespace tenure {

namespace {

// So many times in a horizon all timelines are looked at, memory permitting.
constexpr nanos looks_a_horizon = 24;
constexpr std::size_t spare_part = 8;

}  // namespace

std::optional<nanos> due_cutoff(const timelines& known, const retention& r, nanos now, nanos forgotten) {
  const nanos by_age = saturating_sub(now, r.horizon);
  if (known.bytes() < r.most_bytes - r.most_bytes / spare_part) {
    const bool due = by_age >= saturating_add(forgotten, r.horizon / looks_a_horizon);
    return due ? std::optional(by_age) : std::nullopt;
  }
  const nanos to_make_room = saturating_add(known.cutoff_for(1.0 / spare_part), 1);
  const nanos cutoff = std::max(by_age, std::min(to_make_room, saturating_sub(now, r.shortest)));
  return cutoff > forgotten ? std::optional(cutoff) : std::nullopt;
}

}  // namespace tenure
