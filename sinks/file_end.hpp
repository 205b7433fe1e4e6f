#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <sys/types.h>

#include "sinks/piece.hpp"

namespace tenure::sinks {

/// The end of a file that is appended to. Large writes go past the page cache, whole blocks at a time, where
/// the file's system allows that: copying every byte into pages of the kernel, and having it clear and write
/// them back, costs several times as much as all else that is done for a record. One thread at a time.
class file_end {
 public:
  /// @param fd opened with O_APPEND; stays the caller's, and open as long as this is used
  explicit file_end(int fd) : fd_(fd) {}
  ~file_end();
  file_end(const file_end&) = delete;
  file_end& operator=(const file_end&) = delete;

  /// From now on large writes go past the page cache, if they can. @pre a regular file
  void bypass_cache();

  /// Writes what is in the piece; of much, what does not fill a block is kept. What was taken is in the file
  /// or kept, though not yet durable, and no longer in the piece.
  /// @returns 0 when all of it was taken, otherwise errno; it may be tried again
  int write(piece& p);

  /// Writes what is kept. @returns 0 when nothing is kept any more, otherwise errno
  int write_kept();
  std::size_t kept() const { return kept_; }

  /// Where in a block the next bytes will lie, unless somebody else changes the file.
  std::size_t offset() const { return (begun_ + kept_) % piece::block; }

 private:
  bool write_blocks(piece& p);
  bool find_end();

  int fd_;
  int direct_fd_ = -1;
  off_t size_ = -1;  ///< of the file; negative: not known
  /// What of the file's last block is written already, then what is kept.
  std::array<char, 2 * piece::block> tail_{};
  std::size_t begun_ = 0;  ///< how much is written already, less than a block
  std::size_t kept_ = 0;   ///< less than a block
};

}  // namespace tenure::sinks
