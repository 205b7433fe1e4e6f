#include "ownership/timeline_store.hpp"

#include <bit>
#include <cstring>
#include <limits>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

// Exact while it is short, as most are; then at most an eighth more, so that growing stays cheap.
std::size_t capacity(std::uint32_t count) {
  if (count <= 16) return count;
  const std::size_t step = std::bit_floor(count) / 8;
  return (count + step - 1) / step * step;
}

timeline_block* begin(void* place, std::uint32_t count, std::uint32_t owner) {
  return new (place) timeline_block{owner, count};
}

}  // namespace

std::size_t timeline_store::bytes(std::uint32_t count) {
  return count == 0 ? 0 : sizeof(timeline_block) + capacity(count) * sizeof(timeline_cell);
}

bool timeline_store::has_room(std::uint32_t count) {
  return count > 0 && capacity(count) > count;
}

timeline_block* timeline_store::take(std::uint32_t count, std::uint32_t owner) {
  invariant(count > 0 && count <= std::numeric_limits<std::int32_t>::max(), "a block has cells");
  if (count > largest_kind) {
    auto memory = std::make_unique_for_overwrite<std::byte[]>(bytes(count));
    auto* const block = begin(memory.get(), count, owner);
    large_.emplace(block, std::move(memory));
    return block;
  }
  kind& k = kinds_[count - 1];
  const std::size_t in_a_chunk = chunk / bytes(count);
  if (k.count == k.chunks.size() * in_a_chunk) k.chunks.push_back(take_chunk());
  return begin(place(count, k.count++), count, owner);
}

timeline_block* timeline_store::give_back(timeline_block* block, std::uint32_t count) {
  if (count > largest_kind) {
    large_.erase(block);
    return nullptr;
  }
  kind& k = kinds_[count - 1];
  auto* const last = place(count, --k.count);
  const std::size_t in_a_chunk = chunk / bytes(count);
  // One chunk is kept, so that giving and taking at its edge costs nothing.
  if (k.count + 2 * in_a_chunk <= k.chunks.size() * in_a_chunk) {
    spare_.push_back(k.chunks.back());
    k.chunks.pop_back();
  }
  if (last == block) return nullptr;
  std::memcpy(static_cast<void*>(block), last, bytes(count));
  return block;
}

timeline_block* timeline_store::place(std::uint32_t cells, std::size_t index) {
  const std::size_t size = bytes(cells);
  const std::size_t in_a_chunk = chunk / size;
  return reinterpret_cast<timeline_block*>(kinds_[cells - 1].chunks[index / in_a_chunk] +
                                           index % in_a_chunk * size);
}

std::byte* timeline_store::take_chunk() {
  if (spare_.empty() && first_chunks_.size() < few_chunks) {
    first_chunks_.push_back(std::make_unique_for_overwrite<std::byte[]>(chunk));
    return first_chunks_.back().get();
  }
  if (spare_.empty()) {
    auto& more = huge_pages_.emplace_back(huge_page);
    for (std::size_t at = 0; at < huge_page; at += chunk) spare_.push_back(more.data() + at);
  }
  auto* const taken = spare_.back();
  spare_.pop_back();
  return taken;
}

}  // namespace tenure
