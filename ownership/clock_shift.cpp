#include "ownership/clock_shift.hpp"

#include <algorithm>

namespace tenure {

clock_shift::clock_shift(const clock_bound& clock) {
  bool first = true;
  nanos low = 0;
  nanos high = 0;
  clock.each_stretch_back([&](const clock_bound::known_stretch& s) {
    if (s.low == time_min) return false;
    if (first) {
      first = false;
      latest_ = s.until;
      offset_ = s.low + (s.high - s.low) / 2;
      low = s.low;
      high = s.high;
    }
    low = std::min(low, s.low);
    high = std::max(high, s.high);
    const nanos error = std::max(high - offset_, offset_ - low);
    // The steps that end within this stretch: all stamps in them lie after its beginning, so a bracket was
    // read before each.
    const auto covered = static_cast<std::uint64_t>(latest_ - s.from) >> step_bits;
    for (; steps_ < most_steps && steps_ < covered; ++steps_) errors_[steps_] = error;
    return steps_ < most_steps;
  });
}

}  // namespace tenure
