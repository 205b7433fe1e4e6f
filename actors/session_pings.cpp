#include "actors/session_pings.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/hold_queue.hpp"

namespace tenure::actors {

nanos longest_promise(const hold_settings& hold) {
  constexpr nanos longest = 2 * second;
  const nanos little = std::min(hold.hold / 16, longest);
  return hold.when == release::full && little >= session_pings::pace ? little : 0;
}

void session_pings::disconnected() {
  open_.clear();
  flows_ = 0;
  promised_.reset();
  silent_ = false;
  last_promise_ = 0;
}

std::optional<nanos> session_pings::due(waiting w) const {
  if (!open_.empty()) return std::nullopt;
  auto at = promised_;
  const bool flows_want = w == waiting::flows && (!promised_ || flows_ >= enough_flows);
  if (flows_want || w == waiting::evidence) {
    const nanos earliest = saturating_add(paid_until_, -pace * in_a_row);
    at = std::min(at.value_or(earliest), earliest);
  }
  return at;
}

/// As long as enough flows take to come, at the rate at which they came since the last one, within bounds.
/// One that brought few says little of an agent that sends in bursts: it does not make the next one the
/// longest.
nanos session_pings::promise(nanos now) {
  // One that comes in between, for evidence, changes nothing.
  if (promised_ && now < *promised_ && flows_ == 0) return last_promise_;
  const auto flows = static_cast<nanos>(std::exchange(flows_, 0));
  const nanos since = std::clamp<nanos>(now - std::exchange(asked_at_, now), 0, minute);
  if (!waits_) return 0;
  // What waits for this one is still to come: only after two without flows is there nothing.
  if (flows == 0) return std::exchange(in_vain_, true) ? 0 : std::min(longest_, last_promise_);
  in_vain_ = false;
  constexpr auto enough = static_cast<nanos>(enough_flows);
  return std::min(longest_, std::max(pace, since * enough / flows));
}

session_pings::question session_pings::ask(nanos now) {
  last_promise_ = promise(now);
  promised_.reset();
  silent_ = false;
  if (last_promise_ > 0) promised_ = now + last_promise_;
  open_.emplace(next_id_, now);
  return {next_id_++, last_promise_};
}

session_pings::question session_pings::ask_due(nanos now) {
  paid_until_ = std::max(paid_until_, now) + pace;
  return ask(now);
}

std::optional<nanos> session_pings::answered(std::uint64_t id) {
  const auto asked = open_.find(id);
  if (asked == open_.end()) return std::nullopt;
  const nanos at = asked->second;
  // Answers come in the order of the questions: whatever was asked before will not be answered any more.
  open_.erase(open_.begin(), std::next(asked));
  return at;
}

std::optional<nanos> session_pings::unanswered_since() const {
  if (open_.empty()) return std::nullopt;
  return open_.begin()->second;
}

void session_pings::look(nanos now) {
  if (!open_.empty() && promised_ && *promised_ <= now) silent_ = true;
}

void session_pings::promise_nothing() {
  longest_ = 0;
  promised_.reset();
}

}  // namespace tenure::actors
