#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ownership/time.hpp"

namespace tenure {

/// Intervals, asked "which begin at or before x and end after y?": in O(log n) for each that does, whatever
/// the others look like. A sorted list by start, with the greatest end of each part in a tree above it.
class stabbing_index {
 public:
  struct entry {
    interval hull;
    std::uint32_t value = 0;
  };

  stabbing_index() = default;
  /// Empty intervals are left out.
  explicit stabbing_index(std::vector<entry> entries);

  bool empty() const { return entries_.empty(); }
  /// From the first start to the last end. @pre not empty
  interval reach() const { return {entries_.front().hull.from, ends_[1]}; }

  /// Calls visit(value) for each interval with from <= begins_by and until > ends_after, until that returns
  /// false.
  template <class Visit>
  void visit(nanos begins_by, nanos ends_after, Visit&& each) const {
    const std::size_t count = begun_by(begins_by);
    for (std::size_t at = next(0, count, ends_after); at < count; at = next(at + 1, count, ends_after))
      if (!each(entries_[at].value)) return;
  }

 private:
  std::size_t begun_by(nanos t) const;
  // The first of [from, count) that ends after `t`; `count` when there is none.
  std::size_t next(std::size_t from, std::size_t count, nanos t) const;

  std::vector<entry> entries_;  // by start
  std::vector<nanos>
      ends_;  // a complete binary tree: node i has the children 2i and 2i + 1, the leaves are entries
  std::size_t leaves_ = 0;  // a power of two
};

}  // namespace tenure
