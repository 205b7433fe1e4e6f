#include "actors/agent_credit.hpp"

#include <algorithm>

namespace tenure::actors {

void agent_credit::connected(bool speaks) {
  speaks_ = speaks;
  granted_ = 0;
  received_ = 0;
}

void agent_credit::disconnected() {
  connected(false);
}

bool agent_credit::received(std::size_t bytes) {
  const bool within = speaks_ ? received_ < granted_ : budget_->free() > 0;
  received_ += bytes;
  return within;
}

void agent_credit::hold(std::int64_t bytes) {
  budget_->spend(bytes - mine_);
  mine_ = bytes;
}

std::optional<std::uint64_t> agent_credit::renew(std::size_t held) {
  const auto taken = static_cast<std::int64_t>(held);
  const std::int64_t before = speaks_ ? std::max<std::int64_t>(0, ahead()) : 0;
  hold(taken + before);
  if (!speaks_) return std::nullopt;
  const std::int64_t share = greed * budget_->free() - taken;
  const std::int64_t wanted = std::min({window, share, budget_->free() + before});
  const bool worth_it = wanted - ahead() >= window / 2 || (ahead() <= 0 && wanted > 0);
  if (wanted <= ahead() || !worth_it) return std::nullopt;
  granted_ = received_ + static_cast<std::uint64_t>(wanted);
  hold(taken + wanted);
  return granted_;
}

}  // namespace tenure::actors
