#include "actors/place_in_time.hpp"

#include <algorithm>

namespace tenure::actors {
namespace {

/// Whether a kept bracket was read before this stamp, as early as it may be. One with the very same reading
/// may have been read after it: in between, the clock may have stood still.
bool read_before(const clock_bound& clock, const bounded_stamp& stamp) {
  return clock.bracketed_before(saturating_sub(saturating_sub(stamp.time, stamp.error), 1));
}

}  // namespace

bool place_in_time(const clock_bound& clock, evidence& e) {
  const auto from = clock.carry({e.from, e.from_error});
  const auto until = clock.carry({e.until, e.until_error});
  // Without a bracket before it, `until` may really have been earlier by a pause of the whole guest. `from`
  // needs only the other side of its bound.
  if (!from || !until || !read_before(clock, {e.until, e.until_error})) return false;
  e.from = from->time;
  e.from_error = from->error;
  e.until = until->time;
  e.until_error = until->error;
  return true;
}

void place_in_time(const clock_bound& clock, flow_times& t) {
  const nanos error_before = t.error;
  nanos error = 0;
  // Where it matters how early a stamp may have been, it needs a bracket before it, as evidence does.
  if (!read_before(clock, {t.opened, error_before})) t.opened = time_min;
  if (t.is_established && !read_before(clock, {t.last_received, error_before})) error = unknown_error;
  for (nanos* const stamp : {&t.opened, &t.established, &t.last_received, &t.closed}) {
    if (*stamp == time_min || (stamp == &t.established && !t.is_established)) continue;  // not known
    const auto placed = clock.carry({*stamp, error_before});
    error = std::max(error, placed ? placed->error : unknown_error);
    if (placed) *stamp = placed->time;
  }
  t.error = error;
}

}  // namespace tenure::actors
