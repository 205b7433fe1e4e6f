#include "actors/hold_queue.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <utility>

namespace tenure::actors {

namespace {

// Rows that arrive within this time of each other leave together.
constexpr nanos moment = 10 * millisecond;
// A lot is what an actor handles at a time: more would only make others wait.
constexpr std::uint32_t most_flows = 8'192;
// Early release asks about nothing sooner than after this wait.
constexpr nanos shortest_wait = 50 * millisecond;

nanos longest_wait(const hold_settings& settings) {
  return std::max(settings.hold, settings.longest);
}

/// Waits of about the same length have the same number.
std::size_t kind_of_wait(nanos wait, std::size_t kinds) {
  const auto doublings = std::bit_width(static_cast<std::uint64_t>(std::max<nanos>(wait, 0) / (second / 2)));
  return std::min<std::size_t>(static_cast<std::size_t>(doublings), kinds - 1);
}

}  // namespace

nanos first_wait(const hold_settings& settings, nanos heartbeat) {
  if (settings.when == release::full) return settings.hold;
  return std::min(std::max(heartbeat / 4, shortest_wait), longest_wait(settings));
}

nanos next_asked(const hold_settings& settings, nanos arrived, nanos now, nanos heartbeat) {
  const nanos at_last = saturating_add(arrived, longest_wait(settings));
  if (settings.when == release::full) return at_last;
  const nanos waited = std::max<nanos>(saturating_sub(now, arrived), 0);
  const nanos quarter = heartbeat / 4;
  const bool soon = waited < saturating_add(heartbeat, quarter);
  const nanos wait = std::max(soon ? quarter : waited / 2, shortest_wait);
  return std::min(saturating_add(now, wait), at_last);
}

hold_queue::hold_queue(const hold_settings& settings, std::shared_ptr<hold::block_pool> memory)
    : settings_(settings), longest_(longest_wait(settings)), memory_(std::move(memory)) {}

bool hold_queue::make_room(filling& in, std::size_t bytes) {
  if (in.block && in.used + bytes + hold::row_slack <= in.block->size) return true;
  in.block = memory_->take(bytes + hold::row_slack);
  in.used = 0;
  return false;
}

hold_queue::waiting_lot hold_queue::begin_lot(const filling& in, nanos arrived, bool last) {
  auto lot = std::make_shared<due_lot>();
  lot->memory = in.block;
  lot->rows = in.block->data + in.used;
  lot->arrived = arrived;
  lot->last = last;
  bytes_ += sizeof(due_lot);
  return {std::move(lot), 0, arrived, time_min};
}

void hold_queue::add(waiting_lot& to, filling& in, const lot_part& part, const std::byte* rows) {
  const std::size_t heads = to.lot->parts.bytes();
  std::memcpy(in.block->data + in.used, rows, part.bytes);
  in.used += part.bytes;
  to.used += part.bytes;
  to.lot->parts.add(part);
  to.lot->flows += part.flows;
  flows_ += part.flows;
  bytes_ += part.bytes + to.lot->parts.bytes() - heads;
}

void hold_queue::push(const flow_lot& lot, nanos now) {
  if (lot.rows.empty()) return;
  const auto rows = lot.rows.bytes();
  const nanos wait = first_wait(settings_, heartbeat_);
  const bool last = wait >= longest_;
  const bool joins = make_room(fresh_block_, rows.size()) && !fresh_.empty() &&
                     fresh_.back().lot->memory == fresh_block_.block && now - fresh_.back().first < moment &&
                     fresh_.back().lot->flows < most_flows && fresh_.back().lot->last == last;
  if (!joins) fresh_.push_back(begin_lot(fresh_block_, now, last));
  auto& to = fresh_.back();
  to.lot->arrived = now;
  // They stay in order when heartbeats come faster than before.
  const nanos due_before = fresh_.size() > 1 ? std::prev(fresh_.end(), 2)->due : time_min;
  to.due = std::max({to.due, due_before, saturating_add(now, wait)});
  add(to, fresh_block_,
      {&lot.origin, lot.rows.base(), lot.ticket, lot.rows.count(), static_cast<std::uint32_t>(rows.size())},
      rows.data());
}

void hold_queue::push_again(const due_lot& left, nanos now, nanos heartbeat) {
  heartbeat_ = heartbeat;
  const nanos due = next_asked(settings_, left.arrived, now, heartbeat);
  const bool last = due >= saturating_add(left.arrived, longest_);
  auto& in = again_blocks_[kind_of_wait(due - now, again_blocks_.size())];
  const std::byte* rows = left.rows;
  waiting_lot* to = nullptr;
  for (const auto& part : left.parts) {
    if (!make_room(in, part.bytes)) to = nullptr;
    if (to == nullptr) to = &again_.emplace(due, begin_lot(in, left.arrived, last))->second;
    add(*to, in, part, rows);
    rows += part.bytes;
  }
}

due_lot_ptr hold_queue::take(waiting_lot& w) {
  flows_ -= w.lot->flows;
  bytes_ -= w.used + sizeof(due_lot) + w.lot->parts.bytes();
  if (ended_) w.lot->last = true;
  return std::move(w.lot);
}

std::vector<due_lot_ptr> hold_queue::due(nanos now, std::size_t most) {
  std::vector<due_lot_ptr> out;
  std::size_t taken = 0;
  for (auto next = next_due(); next && *next <= now && taken < most; next = next_due()) {
    if (fresh_.empty() || (!again_.empty() && again_.begin()->first < fresh_.front().due)) {
      out.push_back(take(again_.begin()->second));
      again_.erase(again_.begin());
    } else {
      out.push_back(take(fresh_.front()));
      fresh_.pop_front();
    }
    taken += out.back()->flows;
  }
  // An idle hold keeps no memory from others.
  if (fresh_.empty()) fresh_block_.block.reset();
  if (again_.empty()) again_blocks_ = {};
  return out;
}

std::optional<nanos> hold_queue::next_due() const {
  if (fresh_.empty() && again_.empty()) return std::nullopt;
  if (ended_) return time_min;
  const nanos fresh = fresh_.empty() ? time_max : fresh_.front().due;
  return again_.empty() ? fresh : std::min(fresh, again_.begin()->first);
}

}  // namespace tenure::actors
