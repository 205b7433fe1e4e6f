#include "ownership/timeline.hpp"

#include <algorithm>
#include <tuple>

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

auto identity(const timeline_cell& c) {
  return std::tuple(c.tenancy, c.workload, c.port);
}

auto identity(const evidence& e) {
  return std::tuple(e.tenancy, e.workload, e.endpoint.port);
}

bool before(const timeline_cell& a, const timeline_cell& b) {
  return identity(a) < identity(b);
}

// Cells beyond the first few are kept in sorted runs, whose lengths are the powers of two that add up to
// their number (less a rest that is shorter than the shortest run): finding one takes O(log² n), adding one
// O(log n) on average, whatever the order in which they come.
constexpr std::uint32_t shortest_run = 16;

void put_in_order(timeline_cell* cells, std::uint32_t count) {
  if (count % shortest_run != 0) return;
  timeline_cell* const end = cells + count;
  std::sort(end - shortest_run, end, before);
  for (std::uint32_t run = shortest_run; (count & run) == 0; run *= 2)
    std::inplace_merge(end - 2 * std::size_t{run}, end - run, end, before);
}

timeline_cell* find_in_runs(timeline_cell* cells, std::uint32_t count, const evidence& e) {
  const auto wanted = identity(e);
  timeline_cell* run = cells;
  std::uint32_t left = count / shortest_run * shortest_run;
  while (left > 0) {
    timeline_cell* const end = run + std::bit_floor(left);
    auto* const at = std::lower_bound(
        run, end, wanted, [](const timeline_cell& c, const auto& value) { return identity(c) < value; });
    if (at != end && identity(*at) == wanted) return at;
    left -= std::bit_floor(left);
    run = end;
  }
  auto* const end = cells + count;
  auto* const at =
      std::find_if(run, end, [&wanted](const timeline_cell& c) { return identity(c) == wanted; });
  return at == end ? nullptr : at;
}

}  // namespace

holding timeline_cell::open() const {
  return {port, tenancy, workload, sure.empty() ? interval{} : sure, said};
}

timeline_cell* timeline::find(const evidence& e, std::uint32_t near) const {
  if (empty()) return nullptr;
  const auto is_it = [wanted = identity(e)](const timeline_cell& c) { return identity(c) == wanted; };
  timeline_cell* const cells = block_->cells();
  if (!is_long()) {
    for (; near != 0; near &= near - 1)
      if (auto& c = cells[std::countr_zero(near)]; is_it(c)) return &c;
    timeline_cell* const end = cells + block_->count;
    auto* const at = std::find_if(cells, end, is_it);
    return at == end ? nullptr : at;
  }
  return find_in_runs(cells, block_->count, e);
}

bool timeline::extend(timeline_cell& c, const evidence& e, const glance_clock& clock) {
  const bool sure_grew = grow(c.sure, e.core());
  const bool said_grew = grow(c.said, e.said());
  if (said_grew && !is_long()) look(static_cast<std::uint32_t>(&c - block_->cells()), clock);
  return sure_grew || said_grew;
}

void timeline::look(std::uint32_t index, const glance_clock& clock) {
  const interval& said = block_->cells()[index].said;
  begins_[index] = clock.at(said.from);
  ends_[index] = clock.at(said.until);
}

void timeline::grown(timeline_block* block, const glance_clock& clock) {
  block_ = block;
  put_in_order(block->cells(), block->count);
  look_at_all(clock);
}

void timeline::replaced(timeline_block* block, const glance_clock& clock) {
  block_ = block;
  // In runs of any length, if all of them are in order.
  if (block != nullptr) std::sort(block->cells(), block->cells() + block->count, before);
  look_at_all(clock);
}

void timeline::look_at_all(const glance_clock& clock) {
  const auto count = static_cast<std::uint32_t>(size());
  const bool too_many = count > seen_at_a_glance;
  begins_.fill(too_many ? 0 : nowhere);
  ends_.fill(too_many ? long_mark : 0);
  for (std::uint32_t i = 0; i < count && !too_many; ++i) look(i, clock);
}

void timeline::prefetch(std::uint32_t near, std::size_t much) const {
  if (empty()) return;
  constexpr std::size_t line = 64;
  if (near != 0 && !is_long()) {
    const auto* const cell = reinterpret_cast<const std::byte*>(block_->cells() + std::countr_zero(near));
    __builtin_prefetch(cell);
    __builtin_prefetch(cell + much - 1);
    return;
  }
  // All of it is looked at; of a long one the beginning, the rest comes in order.
  std::size_t count = is_long() ? seen_at_a_glance : 1;
  while (count < seen_at_a_glance && begins_[count] != nowhere) ++count;
  const auto* const first = reinterpret_cast<const std::byte*>(block_);
  const std::size_t all = sizeof(timeline_block) + count * sizeof(timeline_cell);
  for (std::size_t at = 0; at < all; at += line) __builtin_prefetch(first + at);
  __builtin_prefetch(first + all - 1);
}

bool timeline::any_said(std::uint16_t port, const need& n, const glance_clock& clock) const {
  bool any = false;
  each_near(near({n, clock}), [&](const timeline_cell& c) {
    any = c.is_of(port) && n.met_by(c.said);
    return !any;
  });
  return any;
}

bool timeline::any_of(std::uint16_t port) const {
  for (std::uint32_t i = 0; i < size(); ++i)
    if (block_->cells()[i].is_of(port)) return true;
  return false;
}

interval timeline::reach(std::uint16_t port) const {
  interval all_sure = nothing;
  interval all_said = nothing;
  for (std::uint32_t i = 0; i < size(); ++i) {
    const auto& c = block_->cells()[i];
    if (!c.is_of(port)) continue;
    grow(all_sure, c.sure);
    grow(all_said, c.said);
  }
  return all_sure.empty() ? all_said : all_sure;
}

}  // namespace tenure
