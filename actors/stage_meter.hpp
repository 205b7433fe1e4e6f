#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "actors/clocks.hpp"

namespace tenure::actors {

/// Steps of a flow's path on a node.
enum class stage : std::uint8_t {
  decode,   ///< a frame checked, taken apart, placed in time and packed into rows
  route,    ///< what came of it sent on, and answered
  hold,     ///< rows copied to where they wait, and released
  merge,    ///< evidence into timelines
  resolve,  ///< rows judged
  encode,   ///< records made, and handed to the output
  write,    ///< written and made durable, by whichever thread
};
inline constexpr std::size_t stage_count = static_cast<std::size_t>(stage::write) + 1;
inline constexpr std::array<const char*, stage_count> stage_names = {"decode",  "route",  "hold", "merge",
                                                                     "resolve", "encode", "write"};

/// What CPU time the stages take, from every 32nd of each one's messages: to ask for a thread's time is a
/// system call. What the asking itself takes, as long as a flow or two, is left out. Syncs are few, and each
/// is measured. Any thread.
class stage_meter {
 public:
  static constexpr std::uint64_t every = 32;

  /// Measures as long as it lives, on the thread that made it.
  class lap {
   public:
    lap(std::atomic<std::uint64_t>* to, const node_clock& clock) : to_(to), clock_(clock) {
      if (to_ == nullptr) return;
      const nanos asked = clock_.thread_cpu();
      begin_ = clock_.thread_cpu();
      asking_ = begin_ - asked;
    }
    ~lap() {
      if (to_ == nullptr) return;
      const nanos took = clock_.thread_cpu() - begin_ - asking_;
      if (took > 0) *to_ += static_cast<std::uint64_t>(took);
    }
    lap(const lap&) = delete;
    lap& operator=(const lap&) = delete;

   private:
    std::atomic<std::uint64_t>* to_;
    const node_clock& clock_;
    nanos begin_ = 0;
    nanos asking_ = 0;
  };

  lap measure(stage s, const node_clock& clock) {
    auto& c = cells_[static_cast<std::size_t>(s)];
    return {c.messages++ % one_of(s) == 0 ? &c.measured : nullptr, clock};
  }
  /// Counts what was measured elsewhere of a stage whose every message is measured.
  void add(stage s, nanos took) {
    if (took > 0) cells_[static_cast<std::size_t>(s)].measured += static_cast<std::uint64_t>(took);
  }
  /// About what the stage took up to now, in nanoseconds; 0 where the clock measures no thread.
  std::uint64_t nanoseconds(stage s) const {
    return one_of(s) * cells_[static_cast<std::size_t>(s)].measured;
  }

 private:
  static constexpr std::uint64_t one_of(stage s) { return s == stage::write ? 1 : every; }
  struct alignas(64) cell {
    std::atomic<std::uint64_t> messages{0};
    std::atomic<std::uint64_t> measured{0};
  };
  std::array<cell, stage_count> cells_;
};

}  // namespace tenure::actors
