#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "ownership/huge_allocator.hpp"
#include "ownership/timeline.hpp"

namespace tenure {

/// Memory for the blocks of many timelines. Blocks of one number of cells lie together without holes: where
/// one is given back, the last of its kind moves in. So timelines can grow one tenancy at a time, to the
/// byte, and everything lies on huge pages.
class timeline_store {
 public:
  /// A block for so many cells, all of them yet to be written. @pre 0 < count < 2^31
  timeline_block take(std::uint32_t count);
  /// @pre `count` is the number of cells it was taken for
  /// @returns whether another block of as many cells moved to its place: its owner has to hear of it.
  bool give_back(timeline_block block, std::uint32_t count);
  /// Whether a block of so many cells has room for one more.
  static bool has_room(std::uint32_t count);
  /// What a block of so many cells takes.
  static std::size_t bytes(std::uint32_t count);

 private:
  static constexpr std::size_t chunk = 1'024;  // slots
  // So many chunks are taken one by one, before they are cut out of huge pages.
  static constexpr std::size_t few_chunks = 16;

  struct kind {
    std::vector<timeline_slot*> chunks;
    std::size_t count = 0;
  };
  timeline_slot* place(std::uint32_t cells, std::size_t index);
  timeline_slot* take_chunk();

  // Larger blocks are memory of their own.
  std::array<kind, timeline_block::most_slots> kinds_;
  std::vector<timeline_slot*> spare_;
  std::vector<std::unique_ptr<timeline_slot[]>> first_chunks_;
  std::vector<std::vector<timeline_slot, huge_allocator<timeline_slot>>> huge_pages_;
  std::unordered_map<const void*, std::unique_ptr<timeline_cell[]>> large_;
};

}  // namespace tenure
