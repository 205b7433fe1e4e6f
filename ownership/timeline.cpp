#include "ownership/timeline.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>

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

// Cells of a block that are not in slots are kept in sorted runs, whose lengths are the powers of two that
// add up to their number (less a rest that is shorter than the shortest run): finding one takes O(log² n),
// adding one O(log n) on average, whatever the order in which they come.
constexpr std::uint32_t shortest_run = timeline_block::most_slots;

void put_in_order(timeline_cell* cells, std::uint32_t count) {
  // Those that came out of slots.
  if (count == shortest_run + 1) return std::sort(cells, cells + shortest_run, before);
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

timeline_cell* timeline::find(const evidence& e, std::uint32_t near) {
  if (empty()) return nullptr;
  const auto is_it = [wanted = identity(e)](const timeline_cell& c) { return identity(c) == wanted; };
  if (is_it(latest_)) return &latest_;
  const std::uint32_t count = in_block();
  if (!timeline_block::in_slots(count)) return find_in_runs(block_.cells(), count, e);
  timeline_slot* const slots = block_.slots();
  if (!is_long())
    for (near &= ~1U; near != 0; near &= near - 1)
      if (auto& c = slots[std::countr_zero(near) - 1].cell; is_it(c)) return &c;
  for (std::uint32_t i = 0; i < count; ++i)
    if (is_it(slots[i].cell)) return &slots[i].cell;
  return nullptr;
}

bool timeline::extend(timeline_cell& c, const evidence& e, const glance_clock& clock) {
  const bool sure_grew = grow(c.sure, e.core());
  const bool said_grew = grow(c.said, e.said());
  if (said_grew && !is_long()) {
    // A slot begins with its cell.
    const auto at = &c == &latest_ ? 0 : reinterpret_cast<const timeline_slot*>(&c) - block_.slots() + 1;
    look(static_cast<std::uint32_t>(at), clock);
  }
  return sure_grew || said_grew;
}

void timeline::look(std::uint32_t index, const glance_clock& clock) {
  const interval& said = seen(static_cast<int>(index)).said;
  begins_[index] = clock.at(said.from);
  ends_[index] = clock.at(said.until);
  if (index > 0) others_ended_ = std::max(others_ended_, ends_[index]);
}

void timeline::begin(const timeline_cell& c, const glance_clock& clock) {
  latest_ = c;
  size_ = 1;
  look_at_all(clock);
}

timeline_cell timeline::displaced_by(const timeline_cell& c) {
  if (c.said.until < latest_.said.until) return c;
  return std::exchange(latest_, c);
}

void timeline::grown(timeline_block block, const glance_clock& clock) {
  block_ = block;
  ++size_;
  if (!timeline_block::in_slots(in_block())) put_in_order(block.cells(), in_block());
  look_at_all(clock);
}

void timeline::replaced(const timeline_cell& latest, timeline_block block, std::uint32_t size,
                        const glance_clock& clock) {
  latest_ = latest;
  block_ = block;
  size_ = size;
  // In runs of any length, if all of them are in order.
  if (!timeline_block::in_slots(in_block())) std::sort(block.cells(), block.cells() + in_block(), before);
  look_at_all(clock);
}

void timeline::look_at_all(const glance_clock& clock) {
  const bool too_many = is_long();
  others_ended_ = too_many ? long_mark : 0;
  begins_.fill(too_many ? 0 : nowhere);
  ends_.fill(too_many ? long_mark : 0);
  for (std::uint32_t i = 0; i < size_ && !too_many; ++i) look(i, clock);
}

void timeline::prefetch(std::uint32_t near) const {
  near &= ~1U;
  if (near != 0 && !is_long()) return __builtin_prefetch(&seen(std::countr_zero(near)));
  // Where the latest does not answer and no other can, all are asked why; of a long one the beginning, the
  // rest comes in order.
  const auto* const first = static_cast<const std::byte*>(block_.first());
  const std::uint32_t lines = std::min(in_block(), seen_at_a_glance - 1);
  for (std::uint32_t i = 0; i < lines; ++i) __builtin_prefetch(first + i * sizeof(timeline_slot));
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
    if (cell(i).is_of(port)) return true;
  return false;
}

interval timeline::reach(std::uint16_t port) const {
  interval all_sure = nothing;
  interval all_said = nothing;
  for (std::uint32_t i = 0; i < size(); ++i) {
    const auto& c = cell(i);
    if (!c.is_of(port)) continue;
    grow(all_sure, c.sure);
    grow(all_said, c.said);
  }
  return all_sure.empty() ? all_said : all_sure;
}

}  // namespace tenure
