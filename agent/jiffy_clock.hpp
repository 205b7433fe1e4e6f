#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::agent {

/// The kernel's coarse clock and its monotonic one, read together.
struct jiffy_sample {
  std::uint64_t jiffies = 0;
  nanos monotonic = 0;
};

/// Turns a stamp in jiffies, which is all that TCP keeps of the segments it accepted, into a time it was
/// certainly not earlier than. A bound is enough, and costs no error: the rule only loses by a
/// `last_received` that is too early.
class jiffy_clock {
 public:
  /// Learns the length of a tick (100, 250, 300 or 1000 a second) from samples that span at least 50 ms. The
  /// count never runs ahead of the time, it only lags while a processor is late; so the smallest distance
  /// seen is nearest to the truth, and one tick less is a bound. A failure when no length fits.
  static outcome<jiffy_clock> calibrate(std::span<const jiffy_sample> samples);
  /// The same with new samples, take() -> outcome<std::vector<jiffy_sample>>, as often as `attempts` while no
  /// length fits: a guest whose host lets its processors stand counts several ticks late.
  template <class Take>
  static outcome<jiffy_clock> calibrate_in(int attempts, Take&& take) {
    for (int left = attempts;; --left) {
      const auto samples = take();
      if (!samples) return tl::unexpected(samples.error());
      auto clock = calibrate(*samples);
      if (clock || left <= 1) return clock;
    }
  }

  /// What a clock was calibrated to, for keeping it with recorded stamps.
  struct parameters {
    std::uint64_t jiffies = 0;
    nanos bound = 0;
    nanos tick = 0;
  };
  parameters calibrated() const { return {jiffies_, bound_, tick_}; }
  static jiffy_clock from(const parameters& p) { return {p.jiffies, p.bound, p.tick}; }

  /// @param jiffies 64 bits. Monotonic clock, at most two ticks too early, never too late.
  nanos not_before(std::uint64_t jiffies) const;
  nanos tick() const { return tick_; }

  /// The 64 bits of a stamp of which 32 were kept, not later than `now` and less than 2^32 jiffies before it.
  static std::uint64_t widen(std::uint32_t stamp, std::uint64_t now) {
    return now - static_cast<std::uint32_t>(static_cast<std::uint32_t>(now) - stamp);
  }

 private:
  jiffy_clock(std::uint64_t jiffies, nanos bound, nanos tick)
      : jiffies_(jiffies), bound_(bound), tick_(tick) {}

  std::uint64_t jiffies_;
  nanos bound_;
  nanos tick_;
};

}  // namespace tenure::agent
