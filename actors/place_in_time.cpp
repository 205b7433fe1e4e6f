#include "actors/place_in_time.hpp"

#include <algorithm>

namespace tenure::actors {
namespace {

/// Whether a kept bracket was read before this stamp. One with the very same reading may have been read after
/// it: in between, the clock may have stood still.
bool read_before(const clock_bound& clock, nanos stamp) {
  return clock.bracketed_before(saturating_sub(stamp, 1));
}

}  // namespace

bool place_in_time(const clock_bound& clock, evidence& e) {
  const auto from = clock.convert(e.from);
  const auto until = clock.convert(e.until);
  // Without a bracket before it, `until` may really have been earlier by a pause of the whole guest. `from`
  // needs only the other side of its bound.
  if (!from || !until || !read_before(clock, e.until)) return false;
  e.from = from->time;
  e.from_error = saturating_add(e.from_error, from->error);
  e.until = until->time;
  e.until_error = saturating_add(e.until_error, until->error);
  return true;
}

void place_in_time(const clock_bound& clock, flow_times& t) {
  nanos error = 0;
  const auto move = [&](nanos& stamp) {
    if (stamp == time_min) return;  // not known
    const auto placed = clock.convert(stamp);
    error = std::max(error, placed ? placed->error : unknown_error);
    if (placed) stamp = placed->time;
  };
  // Where it matters how early a stamp may have been, it needs a bracket before it, as evidence does.
  if (!read_before(clock, t.opened)) t.opened = time_min;
  if (t.is_established && !read_before(clock, t.last_received)) error = unknown_error;
  move(t.opened);
  if (t.is_established) move(t.established);
  move(t.last_received);
  move(t.closed);
  t.error = saturating_add(t.error, error);
}

}  // namespace tenure::actors
