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
                     std::vector<standing> standings)
    : ring_(std::move(r)), numbers_(std::move(numbers)), standings_(std::move(standings)) {
  invariant(numbers_.size() == ring_->members().size() && standings_.size() == numbers_.size(),
            "each member has a number and a standing");
  for (const auto n : numbers_) end_ = std::max(end_, n + 1);
}

placement::number placement::owner(address a) const {
  const auto holders = ring_->holders(a);
  const auto first_of = [&](standing least) {
    return std::find_if(holders.begin(), holders.end(), [&](auto i) { return standings_[i] >= least; });
  };
  auto chosen = first_of(standing::warm);
  if (chosen == holders.end()) chosen = first_of(standing::fresh);
  return numbers_[chosen == holders.end() ? holders.front() : *chosen];
}

}  // namespace tenure::cluster
