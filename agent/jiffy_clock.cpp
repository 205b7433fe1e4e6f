#include "agent/jiffy_clock.hpp"

#include <algorithm>
#include <array>

namespace tenure::agent {

namespace {

nanos since(std::uint64_t jiffies, std::uint64_t start, nanos tick) {
  return static_cast<nanos>(jiffies - start) * tick;  // wraps to a negative distance for earlier jiffies
}

}  // namespace

outcome<jiffy_clock> jiffy_clock::calibrate(std::span<const jiffy_sample> samples) {
  constexpr std::array<nanos, 4> rates{100, 250, 300, 1000};
  if (samples.size() < 2 || samples.back().monotonic - samples.front().monotonic < 50 * millisecond)
    return fail(trouble::refused, "the kernel's tick cannot be told from less than 50 ms of samples");
  nanos best_spread = time_max;
  nanos best_bound = 0;
  nanos best_tick = 0;
  for (const nanos rate : rates) {
    const nanos tick = second / rate;
    nanos least = time_max;
    nanos most = time_min;
    for (const auto& s : samples) {
      const nanos start = s.monotonic - since(s.jiffies, samples.front().jiffies, tick);
      least = std::min(least, start);
      most = std::max(most, start);
    }
    if (most - least >= best_spread) continue;
    best_spread = most - least;
    best_bound = least - tick;
    best_tick = tick;
  }
  // With the right length all samples fall into one tick; a few ticks of lateness are forgiven.
  if (best_spread > 4 * best_tick)
    return fail(trouble::refused, "the kernel's tick is none of 100, 250, 300, 1000 a second");
  return jiffy_clock{samples.front().jiffies, best_bound, best_tick};
}

nanos jiffy_clock::not_before(std::uint64_t jiffies) const {
  return bound_ + since(jiffies, jiffies_, tick_);
}

}  // namespace tenure::agent
