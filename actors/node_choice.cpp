#include "actors/node_choice.hpp"

#include <algorithm>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::actors {
namespace {

// Of so many agents nobody calls one node fuller than another.
constexpr std::uint32_t least_difference = 2;
constexpr double looks_elsewhere = 1.0 / 20;

}  // namespace

node_choice::node_choice(std::vector<std::string> names, std::uint64_t seed)
    : names_(std::move(names)), draw_(static_cast<std::minstd_rand::result_type>(seed)) {}

std::string node_choice::resolved(const std::vector<std::string>& addresses) {
  std::string found;
  for (const auto& a : addresses)
    if (!addresses_.empty() && std::find(addresses_.begin(), addresses_.end(), a) == addresses_.end())
      found = a;
  if (!addresses.empty()) addresses_ = addresses;
  return found;
}

std::string node_choice::next(const std::string& other) {
  invariant(!addresses_.empty(), "names are resolved before a node is dialed");
  const auto left = [&] {
    std::vector<std::string> out;
    for (const auto& a : addresses_)
      if (a != other && !dialed_.contains(a)) out.push_back(a);
    return out;
  };
  auto choices = left();
  if (choices.empty()) {
    dialed_.clear();
    choices = left();
  }
  if (choices.empty()) return other;
  const auto& chosen = choices[draw_() % choices.size()];
  dialed_.insert(chosen);
  return chosen;
}

bool node_choice::happens(double chance) {
  return std::uniform_real_distribution<double>{0, 1}(draw_) < chance;
}

bool node_choice::should_move(std::uint32_t here, std::uint32_t there) {
  if (here <= there + std::max(least_difference, there / 4)) return false;
  return happens(static_cast<double>(here - there) / (8.0 * here));
}

bool node_choice::should_look_elsewhere() {
  return happens(looks_elsewhere);
}

}  // namespace tenure::actors
