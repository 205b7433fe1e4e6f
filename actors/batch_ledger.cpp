#include "actors/batch_ledger.hpp"

#include "ownership/invariant.hpp"

namespace tenure::actors {

bool batch_ledger::durable(std::uint64_t batch, std::size_t flows) {
  const auto it = pending_.find(batch);
  invariant(it != pending_.end() && it->second >= flows, "more flows durable than the batch has");
  it->second -= flows;
  if (it->second > 0) return false;
  pending_.erase(it);
  return true;
}

}  // namespace tenure::actors
