#include "hold/unplaced_rows.hpp"

#include <algorithm>

namespace tenure::hold {

namespace {

/// The earliest that any of its stamps may be; time_min where one is not known, or the error has no place.
nanos first_of(const flow_times& t) {
  if (t.error > movable_errors || t.opened == time_min || t.last_received == time_min || t.closed == time_min)
    return time_min;
  const nanos answered = t.is_established ? t.established : t.opened;
  return saturating_sub(std::min({t.opened, answered, t.last_received, t.closed}), t.error);
}

}  // namespace

unplaced_rows::unplaced_rows(const row_base& base, std::size_t rows) : rows_(base, rows) {
  marks_.reserve(rows);
}

void unplaced_rows::add(const flow& f) {
  const auto at = rows_.add_movable(f);
  marks_.push_back(
      {first_of(f.times), at, static_cast<std::uint32_t>(std::min(f.times.error, movable_errors))});
}

packed_rows unplaced_rows::place(const clock_shift& shift,
                                 const std::function<void(flow_times&)>& place_one) {
  const row_base base = rows_.base();
  bool all = true;
  for (auto& m : marks_) {
    const nanos error =
        m.first == time_min ? unknown_error : saturating_add(shift.error_since(m.first), m.error);
    if (error <= movable_errors) {
      rows_.set_error(m.error_at, error);
    } else {
      m.first = time_min;
      all = false;
    }
  }
  rows_.move_base(shift.offset());
  packed_rows placed = all ? std::move(rows_) : place_each(base, place_one);
  *this = {};
  return placed;
}

/// Those that were moved are copied, the others taken apart. @param base that they had before
packed_rows unplaced_rows::place_each(const row_base& base,
                                      const std::function<void(flow_times&)>& place_one) const {
  packed_rows out(rows_.base(), rows_.count());
  row_cursor cursor(base, rows_.bytes().data());
  flow f;
  for (const auto& m : marks_) {
    if (m.first != time_min) {
      out.add_copy(cursor.next_row());
      continue;
    }
    cursor.next(f);
    place_one(f.times);
    out.add(f);
  }
  return out;
}

}  // namespace tenure::hold
