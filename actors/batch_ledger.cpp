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
  auto [at, fresh] = durable_.emplace(batch, batch);
  invariant(fresh, "a batch is entered once");
  if (const auto next = std::next(at); next != durable_.end() && next->first == batch + 1) {
    at->second = next->second;
    durable_.erase(next);
  }
  if (at != durable_.begin())
    if (const auto before = std::prev(at); before->second + 1 == batch) {
      before->second = at->second;
      durable_.erase(at);
    }
  if (durable_.size() > max_spans_) durable_.erase(durable_.begin());
}

}  // namespace tenure::actors
