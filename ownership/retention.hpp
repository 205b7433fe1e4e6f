#pragma once

#include <cstddef>
#include <optional>

#include "ownership/timelines.hpp"

namespace tenure {

/// How long timelines remember, and in how much memory. Forgetting only ever hides evidence (docs/proof.md).
struct retention {
  /// What ended longer ago is forgotten.
  nanos horizon = 24 * hour;
  /// What ended less long ago is kept, however short memory is: flows that are held may still ask for it.
  /// New tenancies are refused instead.
  nanos shortest = 10 * minute;
  /// About how much memory to take at the most; it is short when an eighth of it is left.
  std::size_t most_bytes = SIZE_MAX;
};

/// What to forget now: everything that ended before this instant.
/// @param forgotten the cutoff of the last time, time_min when there was none
/// @returns nothing when it is not worth the time that it takes to look at everything
std::optional<nanos> due_cutoff(const timelines& known, const retention& r, nanos now, nanos forgotten);

}  // namespace tenure
