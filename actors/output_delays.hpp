#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ownership/time.hpp"

namespace tenure::actors {

/// How long after their close flows go to the output, in steps that grow with the delay: eight an octave,
/// from 78 ms to 640 s, with limits at 2.5, 5, 10, 20, 30 and 60 s. Any thread.
class output_delays {
 public:
  static constexpr nanos finest = 5 * second / 64;
  /// The first one is for all that is shorter than `finest`, the last one for what is longer than the rest.
  static constexpr std::size_t steps = 1 + 8 * 13 + 1;

  static constexpr std::size_t step_of(nanos delay) {
    const auto eighths = static_cast<std::uint64_t>(delay < 0 ? 0 : delay / (finest / 8));
    if (eighths < 8) return 0;
    const auto octave = static_cast<std::size_t>(std::bit_width(eighths)) - 4;
    const auto step = 1 + 8 * octave + ((eighths >> octave) & 7);
    return step < steps ? step : steps - 1;
  }
  /// Step n has what is shorter than this, and is in no step before. @pre n + 1 < steps
  static constexpr nanos limit(std::size_t n) {
    return n == 0 ? finest : (static_cast<nanos>(9 + (n - 1) % 8) << (n - 1) / 8) * (finest / 8);
  }

  /// Some flows, counted by one thread.
  class count {
   public:
    void add(nanos delay) {
      ++flows_[step_of(delay)];
      sum_ = saturating_add(sum_, delay < 0 ? 0 : delay);
    }

   private:
    friend output_delays;
    std::array<std::uint32_t, steps> flows_{};
    nanos sum_ = 0;
  };

  void add(const count& c) {
    for (std::size_t i = 0; i < steps; ++i)
      if (c.flows_[i] > 0) flows_[i] += c.flows_[i];
    sum_ += static_cast<std::uint64_t>(c.sum_);
  }
  /// In this step.
  std::uint64_t flows(std::size_t step) const { return flows_[step]; }
  /// Of all, in nanoseconds.
  std::uint64_t sum() const { return sum_; }

 private:
  std::array<std::atomic<std::uint64_t>, steps> flows_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace tenure::actors
