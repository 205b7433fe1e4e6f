#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "ownership/raw_vector.hpp"

namespace tenure::hold {

/// A piece of memory whose pages have been touched.
struct block {
  std::byte* data = nullptr;
  std::size_t size = 0;
};
/// The block goes back to its pool with the last of these.
using block_ptr = std::shared_ptr<const block>;

/// A block of memory that belongs to no pool.
block_ptr block_of(raw_vector<std::byte> bytes);

/// Memory for what waits, used again and again: a page that is touched for the first time costs more than all
/// else that is done with the rows on it. It grows by slabs when nothing is free, and never shrinks: what
/// bounds it is what may wait. Any thread.
class block_pool : public std::enable_shared_from_this<block_pool> {
 public:
  static constexpr std::size_t block_bytes = std::size_t{256} << 10;

  /// @param touched bytes to have ready from the start
  static std::shared_ptr<block_pool> make(std::size_t touched = 0);
  ~block_pool();
  block_pool(const block_pool&) = delete;
  block_pool& operator=(const block_pool&) = delete;

  /// A block of block_bytes, or one of its own that has `bytes` where that is more. Throws std::bad_alloc
  /// when the system has no memory.
  block_ptr take(std::size_t bytes = block_bytes);

  /// Of blocks that are taken.
  std::size_t bytes_taken() const { return taken_; }
  /// Of all that was had from the system.
  std::size_t bytes() const { return bytes_; }

 private:
  block_pool() = default;
  void grow(std::size_t blocks);
  void give_back(block b);

  std::atomic<std::size_t> taken_ = 0;
  std::atomic<std::size_t> bytes_ = 0;
  std::mutex mutex_;
  // Under mutex_.
  std::vector<block> slabs_;
  std::vector<block> free_;
};

}  // namespace tenure::hold
