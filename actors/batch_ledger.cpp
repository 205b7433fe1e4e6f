#include "actors/batch_ledger.hpp"

#include <iterator>

#include "ownership/invariant.hpp"

namespace tenure::actors {

batch_ledger::standing batch_ledger::of(std::uint64_t batch) const {
  if (pending_.contains(batch)) return standing::pending;
  const auto after = durable_.upper_bound(batch);
  if (after == durable_.begin() || std::prev(after)->second < batch) return standing::unknown;
  return standing::durable;
}

bool batch_ledger::open(std::uint64_t batch, std::size_t flows) {
  invariant(of(batch) == standing::unknown, "a batch is entered once");
  if (flows == 0) {
    enter_durable(batch);
    return true;
  }
  pending_.emplace(batch, flows);
  open_flows_ += flows;
  return false;
}

bool batch_ledger::durable(std::uint64_t batch, std::size_t flows) {
  const auto it = pending_.find(batch);
  invariant(it != pending_.end() && it->second >= flows, "more flows durable than the batch has");
  it->second -= flows;
  open_flows_ -= flows;
  if (it->second > 0) return false;
  pending_.erase(it);
  enter_durable(batch);
  return true;
}

void batch_ledger::enter_durable(std::uint64_t batch) {
  const auto before = durable_.size();
  auto [at, fresh] = durable_.emplace(batch, batch);
  invariant(fresh, "a batch is entered once");
  if (const auto next = std::next(at); next != durable_.end() && next->first == batch + 1) {
    at->second = next->second;
    durable_.erase(next);
  }
  if (at != durable_.begin())
    if (const auto last = std::prev(at); last->second + 1 == batch) {
      last->second = at->second;
      durable_.erase(at);
    }
  const auto more = static_cast<std::int64_t>(durable_.size()) - static_cast<std::int64_t>(before);
  room_->spend(more * run_bytes);
  // Who grows makes room, by as much: what others have too much of is theirs to give back.
  const bool too_many =
      durable_.size() > limits_.runs || (durable_.size() > limits_.always && room_->free() < 0);
  if (more <= 0 || !too_many) return;
  durable_.erase(durable_.begin());
  room_->spend(-run_bytes);
  ++forgotten_;
}

}  // namespace tenure::actors
