#include "ownership/stabbing_index.hpp"

#include <algorithm>
#include <bit>

namespace tenure {

stabbing_index::stabbing_index(std::vector<entry> entries) : entries_(std::move(entries)) {
  std::erase_if(entries_, [](const entry& e) { return e.hull.empty(); });
  std::sort(entries_.begin(), entries_.end(),
            [](const entry& a, const entry& b) { return a.hull.from < b.hull.from; });
  if (entries_.empty()) return;
  leaves_ = std::bit_ceil(entries_.size());
  ends_.assign(2 * leaves_, time_min);
  for (std::size_t i = 0; i < entries_.size(); ++i) ends_[leaves_ + i] = entries_[i].hull.until;
  for (std::size_t i = leaves_ - 1; i > 0; --i) ends_[i] = std::max(ends_[2 * i], ends_[2 * i + 1]);
}

std::size_t stabbing_index::begun_by(nanos t) const {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), t,
                                      [](nanos wanted, const entry& e) { return wanted < e.hull.from; });
  return static_cast<std::size_t>(after - entries_.begin());
}

std::size_t stabbing_index::next(std::size_t from, std::size_t count, nanos t) const {
  if (from >= count) return count;
  // Up, to the right, until a part has an end that is late enough; then down to its first leaf.
  std::size_t node = leaves_ + from;
  while (ends_[node] <= t) {
    while ((node & 1) != 0) node /= 2;  // a right child: its parent's part is done too
    if (node == 0) return count;
    ++node;
  }
  while (node < leaves_) node = ends_[2 * node] > t ? 2 * node : 2 * node + 1;
  return std::min(node - leaves_, count);
}

}  // namespace tenure
