#include "actors/agent_credit.hpp"

#include <algorithm>

#include "hold/received_rows.hpp"

namespace tenure::actors {
namespace {

// Credit is passed by up to a batch: its last byte lets one through.
constexpr std::int64_t one_batch = 1;

// What bytes of batches may take of the budget when they are held, all of them flows of the shortest kind.
constexpr std::int64_t held_of(std::int64_t bytes) {
  return (bytes * held_flow_bytes + hold::shortest_received_row - 1) / hold::shortest_received_row;
}
constexpr std::int64_t bytes_of(std::int64_t held) {
  return held / held_flow_bytes * hold::shortest_received_row;
}

}  // namespace

void agent_credit::connected(bool speaks, bool stands_by) {
  speaks_ = speaks;
  reach_ = first_window;
  stands_by_ = stands_by;
  granted_ = 0;
  received_ = 0;
}

void agent_credit::disconnected() {
  connected(false);
}

bool agent_credit::received(std::size_t bytes) {
  const bool passes = received_ + bytes > granted_;
  const bool within = speaks_ ? received_ < granted_ && (!passes || may_pass())
                              : budget_->free() > 0 && mine_ + elsewhere_ <= greed * budget_->free();
  received_ += bytes;
  stands_by_ = false;
  return within;
}

void agent_credit::hold(std::int64_t bytes) {
  budget_->spend(bytes - mine_);
  mine_ = bytes;
}

std::optional<std::uint64_t> agent_credit::renew(std::size_t held, std::size_t elsewhere) {
  const auto taken = static_cast<std::int64_t>(held);
  elsewhere_ = static_cast<std::int64_t>(elsewhere);
  const auto under_way = taken + elsewhere_;
  const std::int64_t before = speaks_ ? held_of(std::max<std::int64_t>(0, ahead())) : 0;
  hold(taken + before);
  if (!speaks_) return std::nullopt;
  if (stands_by_) {
    // A promise to thousands that may never use it would leave nothing for those that send.
    if (granted_ > 0) return std::nullopt;
    granted_ = one_batch;
    hold(taken + one_batch);
    return granted_;
  }
  const std::int64_t share = greed * budget_->free() - under_way;
  // Half of what it had is used up: it may be further ahead from now on.
  const bool again = granted_ > 0 && ahead() <= reach_ / 2;
  const std::int64_t reach = again ? std::min(2 * reach_, window) : reach_;
  std::int64_t wanted = std::min(reach, bytes_of(std::min(share, budget_->free() + before)));
  if (wanted <= 0 && under_way == 0 && may_pass()) wanted = one_batch;
  const bool worth_it = wanted - ahead() >= reach / 2 || (ahead() <= 0 && wanted > 0);
  if (wanted <= ahead() || !worth_it) return std::nullopt;
  reach_ = reach;
  granted_ = received_ + static_cast<std::uint64_t>(wanted);
  hold(taken + held_of(wanted));
  return granted_;
}

}  // namespace tenure::actors
