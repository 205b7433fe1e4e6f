#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace tenure {

/// Nanoseconds of one clock, or a span of them. Which clock is said where a value is declared: an agent's
/// boot-time clock, a node's (cluster time), or whatever clock the files given to `tenure attribute` use.
using nanos = std::int64_t;

/// An error that no evidence survives: the clock is unknown.
inline constexpr nanos unknown_error = std::numeric_limits<nanos>::max();
inline constexpr nanos time_min = std::numeric_limits<nanos>::min();
inline constexpr nanos time_max = std::numeric_limits<nanos>::max();

inline constexpr nanos microsecond = 1'000;
inline constexpr nanos millisecond = 1'000'000;
inline constexpr nanos second = 1'000'000'000;
inline constexpr nanos minute = 60 * second;
inline constexpr nanos hour = 60 * minute;

/// a + b, held at the ends of the range instead of wrapping.
constexpr nanos saturating_add(nanos a, nanos b) {
  nanos sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return b > 0 ? time_max : time_min;
  return sum;
}

/// a - b, held at the ends of the range instead of wrapping.
constexpr nanos saturating_sub(nanos a, nanos b) {
  nanos difference = 0;
  if (__builtin_sub_overflow(a, b, &difference)) return b < 0 ? time_max : time_min;
  return difference;
}

/// Half-open: [from, until). Empty when until <= from, so that touching intervals do not overlap.
struct interval {
  nanos from = 0;
  nanos until = 0;

  constexpr bool empty() const { return until <= from; }
  friend constexpr bool operator==(const interval&, const interval&) = default;
};

}  // namespace tenure
