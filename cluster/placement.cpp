#include "cluster/placement.hpp"

#include <algorithm>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::cluster {

const char* to_string(standing s) {
  if (s == standing::away) return "away";
  return s == standing::fresh ? "fresh" : "warm";
}

placement::placement(std::shared_ptr<const ring> r, std::vector<number> numbers,
                     std::vector<standing> standings, std::vector<nanos> since)
    : ring_(std::move(r)),
      numbers_(std::move(numbers)),
      standings_(std::move(standings)),
      since_(std::move(since)) {
  invariant(numbers_.size() == ring_->members().size() && standings_.size() == numbers_.size() &&
                since_.size() == numbers_.size(),
            "each member has a number, a standing and a start");
  for (const auto n : numbers_) end_ = std::max(end_, n + 1);
}

placement::number placement::owner(address a) const {
  const auto holders = ring_->holders(a);
  auto best = holders.front();
  for (const auto i : holders) {
    if (standings_[i] == standing::warm) return numbers_[i];
    const bool better =
        standings_[i] > standings_[best] ||
        (standings_[i] == standing::fresh && standings_[best] == standing::fresh && since_[i] < since_[best]);
    if (better) best = i;
  }
  return numbers_[best];
}

}  // namespace tenure::cluster
