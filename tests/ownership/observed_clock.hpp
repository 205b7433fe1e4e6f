#pragma once

#include <cstdint>
#include <vector>

#include "ownership/clock_bound.hpp"

/// A clock that drifts and stands still, and what pings showed of it: the truth beside what is known.
namespace tenure {

inline constexpr std::int64_t drift_ppm = 200;

// Their clock as it really runs: pieces of our time, each with its own rate; a pause is a piece of rate 0.
class their_clock {
 public:
  explicit their_clock(nanos start) : reading_(start) {}

  void run(nanos ours, std::int64_t off_by_ppm) { add(ours, 1'000'000 + off_by_ppm); }
  void pause(nanos ours) { add(ours, 0); }

  nanos now() const { return ours_; }
  nanos reading() const { return reading_; }

 private:
  void add(nanos ours, std::int64_t millionths) {
    __extension__ using wide = __int128;
    ours_ += ours;
    reading_ += static_cast<nanos>(wide{ours} * millionths / 1'000'000);
  }

  nanos ours_ = 0;
  nanos reading_;
};

struct stamp {
  nanos ours = 0;
  nanos theirs = 0;
};

inline bool holds(const bounded_stamp& b, const stamp& s) {
  // A nanosecond for the model's own rounding.
  return b.error != unknown_error && b.time - b.error - 1 <= s.ours && s.ours <= b.time + b.error + 1;
}

struct weather {
  std::int64_t most_ppm = drift_ppm;
  int pause_percent = 0;
  nanos spacing = 0;
};

struct observed {
  clock_bound bound;
  std::vector<stamp> stamps;
};

// Pings with delays that are not the same there and back, stamps in between.
observed observe(std::uint64_t seed, const weather& w);

}  // namespace tenure
