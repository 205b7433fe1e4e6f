#include "agent/retention.hpp"

#include <algorithm>
#include <utility>

#include "ownership/invariant.hpp"

namespace tenure::agent {
namespace {

std::size_t bytes_of(const wire::frame& f) {
  return f.size() * sizeof(f[0]);
}

}  // namespace

retention::retention(std::size_t max_bytes, std::shared_ptr<spool> kept_outside,
                     std::size_t max_spooled_bytes)
    : max_bytes_(max_bytes), spool_(std::move(kept_outside)), max_spooled_bytes_(max_spooled_bytes) {
  if (!spool_) return;
  for (const auto& e : spool_->list()) {
    const auto bytes = std::max<std::size_t>(e.bytes, 1);  // of a broken file, too: it takes up its place
    kept_.emplace(e.number, kept_batch{{}, e.flows, bytes});
    flows_ += e.flows;
    spooled_bytes_ += bytes;
  }
  keep_bounds();
}

void retention::keep(std::uint64_t number, wire::frame frame, std::size_t flows) {
  invariant(kept_.empty() || kept_.rbegin()->first < number, "batch numbers increase");
  kept_batch batch{{}, flows, 0};
  if (spool_) {
    if (spool_->put(number, flows, frame))
      batch.spooled = bytes_of(frame);
    else
      ++spool_failures_;
  }
  bytes_ += bytes_of(frame);
  flows_ += flows;
  spooled_bytes_ += batch.spooled;
  batch.frame = std::move(frame);
  kept_.emplace(number, std::move(batch));
  keep_bounds();
}

void retention::keep_bounds() {
  while (spooled_bytes_ > max_spooled_bytes_) {
    auto it = kept_.begin();
    while (it != kept_.end() && it->second.spooled == 0) ++it;
    invariant(it != kept_.end(), "bytes in the spool are some batch's");
    if (it->second.frame.empty()) {
      drop(it);
      continue;
    }
    // Memory still has it: it is retained, but would not survive this process.
    spool_->erase(it->first);
    spooled_bytes_ -= std::exchange(it->second.spooled, 0);
  }
  while (bytes_ > max_bytes_) {
    const auto it = kept_.lower_bound(oldest_in_memory_);
    invariant(it != kept_.end(), "bytes in memory are some batch's");
    oldest_in_memory_ = it->first + 1;
    if (it->second.frame.empty()) continue;
    if (it->second.spooled > 0)
      leave_memory(it);
    else
      drop(it);
  }
}

void retention::leave_memory(place it) {
  bytes_ -= bytes_of(it->second.frame);
  wire::frame{}.swap(it->second.frame);
}

const wire::frame* retention::next(std::uint64_t& number) {
  for (auto it = kept_.upper_bound(number); it != kept_.end(); it = kept_.upper_bound(number)) {
    number = it->first;
    if (!it->second.frame.empty()) return &it->second.frame;
    if (auto frame = spool_->get(number)) {
      read_back_ = std::move(*frame);
      return &read_back_;
    }
    drop(it);
  }
  return nullptr;
}

bool retention::acknowledge(std::uint64_t number) {
  const auto it = kept_.find(number);
  if (it == kept_.end()) return false;
  forget(it);
  return true;
}

void retention::give_up(std::uint64_t number) {
  if (const auto it = kept_.find(number); it != kept_.end()) drop(it);
}

void retention::drop(place it) {
  ++batches_dropped_;
  flows_dropped_ += it->second.flows;
  forget(it);
}

void retention::forget(place it) {
  if (it->second.spooled > 0) spool_->erase(it->first);
  bytes_ -= bytes_of(it->second.frame);
  spooled_bytes_ -= it->second.spooled;
  flows_ -= it->second.flows;
  kept_.erase(it);
}

}  // namespace tenure::agent
