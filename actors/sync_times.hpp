#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "ownership/time.hpp"

namespace tenure::actors {

/// How long the output takes to make durable what it was given, from being asked to saying so: writing what
/// still waited is in it. By steps, as a histogram has them. Any thread.
class sync_times {
 public:
  /// A step has what takes no longer than its limit, and longer than the one before; one more step has the
  /// rest.
  static constexpr std::array limits{
      millisecond,      5 * millisecond / 2, 5 * millisecond,   10 * millisecond,  25 * millisecond,
      50 * millisecond, 100 * millisecond,   250 * millisecond, 500 * millisecond, second,
      5 * second / 2,   5 * second,          10 * second,       30 * second};
  static constexpr std::size_t steps = limits.size() + 1;

  void add(nanos took) {
    ++syncs_[static_cast<std::size_t>(std::ranges::lower_bound(limits, took) - limits.begin())];
    sum_ += static_cast<std::uint64_t>(std::max<nanos>(0, took));
  }
  /// In this step.
  std::uint64_t syncs(std::size_t step) const { return syncs_[step]; }
  /// Of all, in nanoseconds.
  std::uint64_t sum() const { return sum_; }

 private:
  std::array<std::atomic<std::uint64_t>, steps> syncs_{};
  std::atomic<std::uint64_t> sum_{0};
};

}  // namespace tenure::actors
