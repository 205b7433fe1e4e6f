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
  timeline_block* take(std::uint32_t count, std::uint32_t owner);
  /// @pre `count` is the number of cells it was taken for
  /// @returns the block that moved to its place, whose owner has to hear of it; or null.
  timeline_block* give_back(timeline_block* block, std::uint32_t count);
  /// Whether a block of so many cells has room for one more.
  static bool has_room(std::uint32_t count);
  /// What a block of so many cells takes.
  static std::size_t bytes(std::uint32_t count);

 private:
  // Larger blocks are memory of their own.
  static constexpr std::uint32_t largest_kind = 16;
  static constexpr std::size_t chunk = std::size_t{64} << 10;
  // So many chunks are taken one by one, before they are cut out of huge pages.
  static constexpr std::size_t few_chunks = 16;

  struct kind {
    std::vector<std::byte*> chunks;
    std::size_t count = 0;
  };
  timeline_block* place(std::uint32_t cells, std::size_t index);
  std::byte* take_chunk();

  std::array<kind, largest_kind> kinds_;
  std::vector<std::byte*> spare_;
  std::vector<std::unique_ptr<std::byte[]>> first_chunks_;
  std::vector<std::vector<std::byte, huge_allocator<std::byte>>> huge_pages_;
  std::unordered_map<timeline_block*, std::unique_ptr<std::byte[]>> large_;
};

}  // namespace tenure
