#include "ownership/timeline_store.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

// Exact while it is short, as most are; then at most an eighth more, so that growing stays cheap.
std::size_t capacity(std::uint32_t count) {
  if (timeline_block::in_slots(count)) return count;
  const std::size_t step = std::bit_floor(count) / 8;
  return (count + step - 1) / step * step;
}

}  // namespace

std::size_t timeline_store::bytes(std::uint32_t count) {
  return capacity(count) * (timeline_block::in_slots(count) ? sizeof(timeline_slot) : sizeof(timeline_cell));
}

bool timeline_store::has_room(std::uint32_t count) {
  return count > 0 && capacity(count) > count;
}

timeline_block timeline_store::take(std::uint32_t count) {
  invariant(count > 0 && count <= std::numeric_limits<std::int32_t>::max(), "a block has cells");
  if (!timeline_block::in_slots(count)) {
    auto memory = std::make_unique_for_overwrite<timeline_cell[]>(capacity(count));
    const timeline_block block(memory.get());
    large_.emplace(block.first(), std::move(memory));
    return block;
  }
  kind& k = kinds_[count - 1];
  const std::size_t in_a_chunk = chunk / count;
  if (k.count == k.chunks.size() * in_a_chunk) k.chunks.push_back(take_chunk());
  return timeline_block(place(count, k.count++));
}

bool timeline_store::give_back(timeline_block block, std::uint32_t count) {
  if (!timeline_block::in_slots(count)) {
    large_.erase(block.first());
    return false;
  }
  kind& k = kinds_[count - 1];
  auto* const last = place(count, --k.count);
  const std::size_t in_a_chunk = chunk / count;
  // One chunk is kept, so that giving and taking at its edge costs nothing.
  if (k.count + 2 * in_a_chunk <= k.chunks.size() * in_a_chunk) {
    spare_.push_back(k.chunks.back());
    k.chunks.pop_back();
  }
  if (last == block.slots()) return false;
  std::copy_n(last, count, block.slots());
  return true;
}

timeline_slot* timeline_store::place(std::uint32_t cells, std::size_t index) {
  const std::size_t in_a_chunk = chunk / cells;
  return kinds_[cells - 1].chunks[index / in_a_chunk] + index % in_a_chunk * cells;
}

timeline_slot* timeline_store::take_chunk() {
  if (spare_.empty() && first_chunks_.size() < few_chunks) {
    first_chunks_.push_back(std::make_unique_for_overwrite<timeline_slot[]>(chunk));
    return first_chunks_.back().get();
  }
  if (spare_.empty()) {
    constexpr std::size_t slots = huge_page / sizeof(timeline_slot);
    auto& more = huge_pages_.emplace_back(slots);
    for (std::size_t at = 0; at < slots; at += chunk) spare_.push_back(more.data() + at);
  }
  auto* const taken = spare_.back();
  spare_.pop_back();
  return taken;
}

}  // namespace tenure
