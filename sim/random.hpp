#pragma once

#include <cmath>
#include <cstdint>

#include "ownership/invariant.hpp"

namespace tenure::sim {

/// SplitMix64 (Steele, Lea, Flood 2014) with distributions of our own: the standard's differ from library to
/// library, and a seed has to mean the same run everywhere.
class random {
 public:
  explicit random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e37'79b9'7f4a'7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11ebULL;
    return z ^ (z >> 31);
  }

  /// In [0, n). @pre n > 0
  std::uint64_t below(std::uint64_t n) {
    invariant(n > 0, "a choice has at least one outcome");
    __extension__ using wide = unsigned __int128;
    return static_cast<std::uint64_t>((static_cast<wide>(next()) * n) >> 64);
  }

  /// In [low, high], both included. @pre low <= high
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }

  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  bool chance(double p) { return unit() < p; }

  /// With this mean; bounded by forty times of it.
  std::int64_t exponential(std::int64_t mean) {
    return static_cast<std::int64_t>(-std::log(1.0 - unit()) * static_cast<double>(mean));
  }

  /// A generator of its own, so that one part of a run can draw more without moving the others.
  random fork() { return random{next()}; }

 private:
  std::uint64_t state_;
};

}  // namespace tenure::sim
