#include "tests/ownership/observed_clock.hpp"

#include "properties/history.hpp"

namespace tenure {

observed observe(std::uint64_t seed, const weather& w) {
  history::dice d(seed);
  their_clock clock(d.below(1'000'000) * second);
  observed out{clock_bound(drift_ppm, 128, w.spacing), {}};
  bool bracketed = false;
  for (int round = 0; round < 20; ++round) {
    const auto wait = [&](nanos most) {
      if (d.chance(w.pause_percent)) clock.pause(d.below(d.chance(50) ? 30 * second : millisecond));
      clock.run(d.below(most), d.chance(50) ? w.most_ppm : d.below(2 * w.most_ppm + 1) - w.most_ppm);
    };
    for (nanos n = bracketed ? d.below(4) : 0; n > 0; --n) {
      wait(10 * second);
      out.stamps.push_back({clock.now(), clock.reading()});
    }
    wait(second);
    const nanos sent = clock.now();
    wait(50 * millisecond);
    const nanos theirs = clock.reading();
    wait(d.chance(50) ? millisecond : 400 * millisecond);
    bracketed |= out.bound.add({sent, clock.now(), theirs});
  }
  return out;
}

}  // namespace tenure
