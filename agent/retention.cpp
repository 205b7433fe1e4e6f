#include "agent/retention.hpp"

#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::agent {

void retention::keep(std::uint64_t number, wire::frame frame, std::size_t flows) {
  invariant(kept_.empty() || kept_.rbegin()->first < number, "batch numbers increase");
  bytes_ += frame.size() * sizeof(frame[0]);
  flows_ += flows;
  kept_.emplace(number, kept_batch{std::move(frame), flows});
  while (bytes_ > max_bytes_ && !kept_.empty()) {
    ++batches_dropped_;
    flows_dropped_ += kept_.begin()->second.flows;
    forget(kept_.begin());
  }
}

bool retention::acknowledge(std::uint64_t number) {
  const auto it = kept_.find(number);
  if (it == kept_.end()) return false;
  forget(it);
  return true;
}

void retention::forget(std::map<std::uint64_t, kept_batch>::iterator it) {
  bytes_ -= it->second.frame.size() * sizeof(it->second.frame[0]);
  flows_ -= it->second.flows;
  kept_.erase(it);
}

}  // namespace tenure::agent
