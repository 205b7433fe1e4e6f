#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "ownership/time.hpp"

namespace tenure {

/// Hulls, asked "of those that begin at or before x, what follows?", in O(log² n) whatever they look like and
/// however many do. What follows is a Summary (leading, furthest), to which another is added in any order.
///
/// Sorted runs, each less than half as long as the one before. A step of a run says from when on what
/// follows, of all hulls of the run that begin by then; a hull that changes nothing leaves no step. A hull
/// that grows is added again: it holds what it was. Adding takes O(log n) on average.
template <class Summary>
class reach_index {
 public:
  void add(nanos from, const Summary& one) {
    runs_.push_back({{from, one}});
    while (runs_.size() > 1 && runs_[runs_.size() - 2].size() < 2 * runs_.back().size()) {
      const run last = std::move(runs_.back());
      runs_.pop_back();
      runs_.back() = join(runs_.back(), last);
    }
  }

  /// @param looked to which is added how many steps were looked at
  Summary begun_by(nanos x, std::size_t& looked) const {
    Summary all;
    for (const run& r : runs_) {
      const auto after = std::upper_bound(r.begin(), r.end(), x, [&looked](nanos wanted, const step& s) {
        ++looked;
        return wanted < s.from;
      });
      if (after != r.begin()) all.add(std::prev(after)->all);
    }
    return all;
  }

  bool empty() const { return runs_.empty(); }
  /// From the first start to the last end. @pre not empty
  interval reach() const {
    interval all{time_max, time_min};
    for (const run& r : runs_)
      all = {std::min(all.from, r.front().from), std::max(all.until, r.back().all.until)};
    return all;
  }
  /// What the steps take.
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const run& r : runs_) sum += r.capacity() * sizeof(step);
    return sum;
  }

 private:
  struct step {
    nanos from = 0;
    Summary all;
  };
  using run = std::vector<step>;

  static run join(const run& a, const run& b) {
    run joined;
    joined.reserve(a.size() + b.size());
    Summary of_a;
    Summary of_b;
    for (auto i = a.begin(), j = b.begin(); i != a.end() || j != b.end();) {
      const bool from_a = j == b.end() || (i != a.end() && i->from < j->from);
      const nanos from = from_a ? i->from : j->from;
      if (from_a)
        of_a = (i++)->all;
      else
        of_b = (j++)->all;
      Summary all = of_a;
      all.add(of_b);
      if (!joined.empty() && joined.back().from == from)
        joined.back().all = all;
      else if (joined.empty() || joined.back().all != all)
        joined.push_back({from, all});
    }
    // Not worth a copy before a quarter of it is free.
    if (joined.size() < joined.capacity() / 4 * 3) joined.shrink_to_fit();
    return joined;
  }

  std::vector<run> runs_;
};

}  // namespace tenure
