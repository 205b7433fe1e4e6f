#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "ownership/invariant.hpp"
#include "ownership/time.hpp"

namespace tenure::sim {

/// What is going to happen, in the order of true time; at one instant, in the order of entering.
class agenda {
 public:
  /// True time: what no process of the simulated world can read.
  nanos now() const { return now_; }

  /// @param grid everything happens at multiples of it; a coarse one makes stamps collide. At least 1
  explicit agenda(nanos grid = 1) : grid_(grid) { invariant(grid >= 1, "a grid has a width"); }

  nanos grid() const { return grid_; }

  /// @param t not before now(); moved up to the grid
  void at(nanos t, std::function<void()> what) {
    invariant(t >= now_, "nothing happens in the past");
    if (grid_ > 1) t = (t + grid_ - 1) / grid_ * grid_;
    entries_.push_back({t, next_++, std::move(what)});
    std::push_heap(entries_.begin(), entries_.end(), later);
  }
  void after(nanos wait, std::function<void()> what) { at(now_ + wait, std::move(what)); }

  /// Lets the next thing happen, when it is due at `horizon` or before. @returns whether there was one.
  bool step(nanos horizon) {
    if (entries_.empty() || entries_.front().time > horizon) return false;
    std::pop_heap(entries_.begin(), entries_.end(), later);
    entry e = std::move(entries_.back());
    entries_.pop_back();
    now_ = e.time;
    ++steps_;
    e.what();
    return true;
  }

  std::uint64_t steps() const { return steps_; }

 private:
  struct entry {
    nanos time;
    std::uint64_t order;
    std::function<void()> what;
  };
  static bool later(const entry& a, const entry& b) {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }

  nanos grid_;
  nanos now_ = 0;
  std::uint64_t next_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<entry> entries_;
};

}  // namespace tenure::sim
