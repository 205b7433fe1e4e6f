#include "actors/known_clocks.hpp"

#include <algorithm>
#include <iterator>

namespace tenure::actors {

bool known_clocks::learn(const wire::clock_bracket& b, nanos reading) {
  if (b.clock == 0 || b.received < b.sent || b.reading > reading) return false;
  const std::lock_guard lock{mutex_};
  auto& all = all_[b.clock];
  if (!all.empty() && b.reading <= all.back().reading) return true;  // as known already
  all.push_back(b);
  if (all.size() > most_of_a_clock) thin_out(all);
  if (all_.size() > most_clocks) {
    const auto oldest = std::min_element(all_.begin(), all_.end(), [](const auto& x, const auto& y) {
      return x.second.back().reading < y.second.back().reading;
    });
    all_.erase(oldest);
  }
  return true;
}

// The one without which the gap, measured by how long ago it is, is the smallest.
void known_clocks::thin_out(of_one_clock& all) {
  const nanos now = all.back().reading;
  const auto gap = [&](of_one_clock::iterator b) {
    const auto apart = static_cast<double>(saturating_sub(std::next(b)->reading, std::prev(b)->reading));
    return apart / static_cast<double>(saturating_sub(now, b->reading));
  };
  auto least = std::next(all.begin());
  for (auto b = least; std::next(b) != all.end(); ++b)
    if (gap(b) < gap(least)) least = b;
  all.erase(least);
}

std::vector<wire::clock_bracket> known_clocks::tell() const {
  std::vector<wire::clock_bracket> out;
  const std::lock_guard lock{mutex_};
  for (const auto& [clock, all] : all_) out.insert(out.end(), all.begin(), all.end());
  return out;
}

std::size_t recall(const std::vector<wire::clock_bracket>& told, std::uint64_t own_clock, nanos now,
                   clock_bound& to) {
  std::size_t refused = 0;
  if (own_clock == 0) return refused;
  for (const auto& b : told) {
    if (b.clock != own_clock) continue;
    if (b.received > now || !to.recall({b.sent, b.received, b.reading})) ++refused;
  }
  return refused;
}

}  // namespace tenure::actors
