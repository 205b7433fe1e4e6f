#include "ownership/timeline.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <tuple>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

constexpr interval nothing{time_max, time_min};

// Grows `hull` so that it holds `part` too. An empty one adds nothing, wherever it lies.
bool grow(interval& hull, const interval& part) {
  if (part.empty()) return false;
  const interval grown{std::min(hull.from, part.from), std::max(hull.until, part.until)};
  const bool changed = grown != hull;
  hull = grown;
  return changed;
}

// Exact while it is short, as most are; then an eighth more, so that growing stays cheap.
std::size_t grown(std::size_t capacity) {
  return capacity < 8 ? capacity + 1 : capacity + capacity / 8;
}

// A few lines at the most: the processor only has so many under way, and long timelines are read in order
// anyway.
void fetch(const std::byte* block, std::size_t bytes) {
  constexpr std::size_t line = 64;
  const std::byte* const end = block + std::min(bytes, 6 * line);
  for (const std::byte* at = block; at < end; at += line) __builtin_prefetch(at);
  if (bytes > 0) __builtin_prefetch(end - 1);  // a block does not begin where a line does
}

}  // namespace

void timeline::release() {
  ::operator delete(block_);
  block_ = nullptr;
  count_ = capacity_ = 0;
}

bool timeline::is(std::uint32_t index, const evidence& e) const {
  return tenancies()[index] == e.tenancy && workloads()[index] == e.workload &&
         ports()[index] == e.endpoint.port;
}

std::uint32_t timeline::lower_bound(const evidence& e) const {
  const auto wanted = std::tie(e.tenancy, e.workload, e.endpoint.port);
  std::uint32_t first = 0;
  for (std::uint32_t length = count_; length > 0;) {
    const std::uint32_t half = length / 2;
    const std::uint32_t middle = first + half;
    if (std::tie(tenancies()[middle], workloads()[middle], ports()[middle]) < wanted) {
      first = middle + 1;
      length -= half + 1;
    } else {
      length = half;
    }
  }
  return first;
}

bool timeline::merge(const evidence& e) {
  const interval part = e.said();
  const interval core = e.core();
  invariant(!part.empty(), "evidence that says nothing is not merged");
  const std::uint32_t index = lower_bound(e);
  if (index == count_ || !is(index, e)) {
    insert(index, {e.endpoint.port, e.tenancy, e.workload, core.empty() ? nothing : core, part});
    return true;
  }
  const bool sure_grew = grow(sure()[index], core);
  const bool said_grew = grow(said()[index], part);
  return sure_grew || said_grew;
}

void timeline::insert(std::uint32_t index, const holding& h) {
  timeline next;
  timeline& to = count_ < capacity_ ? *this : next;
  if (&to == &next) {
    const std::size_t capacity = grown(capacity_);
    invariant(capacity <= std::numeric_limits<std::uint32_t>::max(),
              "fewer than 2^32 tenancies of an address");
    next.block_ = static_cast<std::byte*>(::operator new(block_bytes(capacity)));
    next.capacity_ = static_cast<std::uint32_t>(capacity);
  }
  const auto make_room = [&](auto* from, auto* into, const auto& value) {
    if (from != into) std::copy(from, from + index, into);
    std::copy_backward(from + index, from + count_, into + count_ + 1);
    into[index] = value;
  };
  make_room(sure(), to.sure(), h.sure);
  make_room(workloads(), to.workloads(), h.workload);
  make_room(ports(), to.ports(), h.port);
  make_room(tenancies(), to.tenancies(), h.tenancy);
  make_room(said(), to.said(), h.said);
  to.count_ = count_ + 1;
  if (&to == &next) swap(next);
}

std::size_t timeline::forget_before(nanos cutoff) {
  std::uint32_t kept = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (said()[i].until < cutoff) continue;
    sure()[kept] = sure()[i];
    workloads()[kept] = workloads()[i];
    ports()[kept] = ports()[i];
    tenancies()[kept] = tenancies()[i];
    said()[kept] = said()[i];
    ++kept;
  }
  const std::size_t forgotten = count_ - kept;
  count_ = kept;
  if (kept == 0) release();
  return forgotten;
}

holding timeline::at(std::size_t index) const {
  const interval& hull = sure()[index];
  return {ports()[index], tenancies()[index], workloads()[index], hull.empty() ? interval{} : hull,
          said()[index]};
}

std::size_t timeline::bytes() const {
  return block_bytes(capacity_);
}

void timeline::prefetch() const {
  fetch(block_, said_at(capacity_));
}

void timeline::prefetch_all() const {
  fetch(block_, bytes());
}

bool timeline::knows(const evidence& e) const {
  const std::uint32_t index = lower_bound(e);
  return index < count_ && is(index, e);
}

bool timeline::any_said(std::uint16_t port, const need& n) const {
  for (std::uint32_t i = 0; i < count_; ++i)
    if (is_of(i, port) && n.met_by(said()[i])) return true;
  return false;
}

bool timeline::any_of(std::uint16_t port) const {
  for (std::uint32_t i = 0; i < count_; ++i)
    if (is_of(i, port)) return true;
  return false;
}

interval timeline::reach(std::uint16_t port) const {
  interval all_sure = nothing;
  interval all_said = nothing;
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (!is_of(i, port)) continue;
    grow(all_sure, sure()[i]);
    grow(all_said, said()[i]);
  }
  return all_sure.empty() ? all_said : all_sure;
}

}  // namespace tenure
