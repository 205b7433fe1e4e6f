#include "actors/hold_queue.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tenure::actors {

namespace {

// Rows that arrive within this time of each other leave together.
constexpr nanos moment = 10 * millisecond;
// A lot is what an actor handles at a time: more would only make others wait.
constexpr std::uint32_t most_flows = 8'192;

// Early release asks first after this wait, and then again and again when a flow has waited for half as long
// again as before: it leaves at most half as long again after it could have.
constexpr nanos first_wait = 50 * millisecond;

}  // namespace

std::vector<nanos> rungs_of(const hold_settings& settings) {
  const nanos longest = std::max(settings.hold, settings.longest);
  std::vector<nanos> waits;
  if (settings.when == release::full) {
    waits.push_back(settings.hold);
    if (longest > settings.hold) waits.push_back(longest - settings.hold);
    return waits;
  }
  nanos waited = 0;
  for (nanos wait = first_wait; waited + wait < longest; wait = waited / 2) {
    waits.push_back(wait);
    waited += wait;
  }
  waits.push_back(longest - waited);
  return waits;
}

hold_queue::hold_queue(const hold_settings& settings, std::shared_ptr<hold::block_pool> memory)
    : memory_(std::move(memory)) {
  for (const nanos wait : rungs_of(settings)) rungs_.emplace_back().wait = wait;
}

std::byte* hold_queue::room(rung& r, std::size_t bytes, nanos now) {
  const bool fits = r.block && r.used + bytes + hold::row_slack <= r.block->size;
  if (!fits) {
    r.block = memory_->take(bytes + hold::row_slack);
    r.used = 0;
  }
  const bool joins = fits && !r.lots.empty() && r.lots.back().lot->memory == r.block &&
                     now - r.lots.back().first < moment && r.lots.back().lot->flows < most_flows;
  auto* const at = r.block->data + r.used;
  if (!joins) {
    auto lot = std::make_shared<due_lot>();
    lot->memory = r.block;
    lot->rows = at;
    const auto here = static_cast<std::size_t>(&r - rungs_.data());
    lot->next_rung = here + 1 < rungs_.size() ? static_cast<std::uint32_t>(here + 1) : 0;
    bytes_ += sizeof(due_lot);
    r.lots.push_back({std::move(lot), 0, now, 0});
  }
  r.used += bytes;
  return at;
}

void hold_queue::push(const flow_lot& lot, nanos now) {
  if (lot.rows.empty()) return;
  rung& r = rungs_[ended_ ? rungs_.size() - 1 : lot.rung];
  const auto rows = lot.rows.bytes();
  std::memcpy(room(r, rows.size(), now), rows.data(), rows.size());
  auto& last = r.lots.back();
  last.due = ended_ ? time_min : saturating_add(now, r.wait);
  last.used += rows.size();
  last.lot->parts.push_back(
      {lot.origin, lot.rows.base(), lot.ticket, lot.rows.count(), static_cast<std::uint32_t>(rows.size())});
  last.lot->flows += lot.rows.count();
  flows_ += lot.rows.count();
  bytes_ += rows.size() + sizeof(due_lot::part);
}

std::vector<due_lot_ptr> hold_queue::due(nanos now, std::size_t most) {
  std::vector<due_lot_ptr> out;
  std::size_t taken = 0;
  for (auto& r : rungs_) {
    while (!r.lots.empty() && r.lots.front().due <= now && taken < most) {
      auto& w = r.lots.front();
      taken += w.lot->flows;
      flows_ -= w.lot->flows;
      bytes_ -= w.used + sizeof(due_lot) + w.lot->parts.size() * sizeof(due_lot::part);
      out.push_back(std::move(w.lot));
      r.lots.pop_front();
    }
    if (r.lots.empty()) r.block.reset();  // an idle hold keeps no memory from others
  }
  return out;
}

std::optional<nanos> hold_queue::next_due() const {
  std::optional<nanos> next;
  for (const auto& r : rungs_)
    if (!r.lots.empty() && (!next || r.lots.front().due < *next)) next = r.lots.front().due;
  return next;
}

void hold_queue::end_hold() {
  ended_ = true;
  for (auto& r : rungs_)
    for (auto& w : r.lots) {
      w.due = time_min;
      w.lot->next_rung = 0;
    }
}

}  // namespace tenure::actors
