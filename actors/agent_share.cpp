#include "actors/agent_share.hpp"

#include <iterator>

namespace tenure::actors {

bool agent_share::admits_tenancy(std::uint64_t sequence, nanos now) {
  if (since_ == time_min || now - since_ > bounds_.span) {
    ranges_.clear();
    next_ = ranges_.end();
    tenancies_ = 0;
    since_ = now;
  }
  if (next_ != ranges_.end() && next_->first <= sequence && sequence <= next_->second) {
    if (sequence == next_->second) ++next_;
    return true;
  }
  const auto after = ranges_.upper_bound(sequence);
  next_ = after;
  const auto before = after == ranges_.begin() ? ranges_.end() : std::prev(after);
  if (before != ranges_.end() && sequence <= before->second) return true;
  if (tenancies_ >= bounds_.tenancies) return false;
  ++tenancies_;
  const bool joins_before = before != ranges_.end() && before->second + 1 == sequence;
  const bool joins_after = after != ranges_.end() && sequence + 1 == after->first;
  const std::uint64_t last = joins_after ? after->second : sequence;
  if (joins_after) next_ = ranges_.erase(after);
  if (joins_before)
    before->second = last;
  else
    ranges_.emplace(sequence, last);
  return true;
}

bool agent_share::admits_workload() {
  if (workloads_ >= bounds_.workloads) return false;
  ++workloads_;
  return true;
}

}  // namespace tenure::actors
