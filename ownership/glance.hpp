#pragma once

#include <cstdint>

#include "ownership/need.hpp"
#include "ownership/time.hpp"

namespace tenure {

/// Instants as 32-bit numbers, 17 ms apart, that keep their order and stop at both ends of some two years.
/// What cannot be so by these numbers is not so; what can be has to be looked at exactly.
class glance_clock {
 public:
  static constexpr std::uint32_t last = 0xffff'fffe;

  /// @param middle about the middle of the two years
  explicit constexpr glance_clock(nanos middle = 0) : base_(saturating_sub(middle, nanos{1} << 55)) {}

  constexpr std::uint32_t at(nanos t) const {
    if (t <= base_) return 0;
    const std::uint64_t steps = (static_cast<std::uint64_t>(t) - static_cast<std::uint64_t>(base_)) >> 24;
    return steps < last ? static_cast<std::uint32_t>(steps) : last;
  }

 private:
  nanos base_;
};

/// Asks which hulls begin at or before the one and end after the other (see need::met_by).
struct glance {
  std::uint32_t begins_by = 0;
  std::uint32_t ends_after = 0;

  glance(const need& n, const glance_clock& clock)
      : begins_by(clock.at(n.begins_by())), ends_after(clock.at(n.ends_after())) {}
  glance(nanos begins, nanos ends, const glance_clock& clock)
      : begins_by(clock.at(begins)), ends_after(clock.at(ends)) {}
};

}  // namespace tenure
