#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <sys/types.h>

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

  /// As ::write: how much was taken, or -1 and errno. What was taken is in the file, though not yet durable.
  ssize_t write(const char* bytes, std::size_t count);

 private:
  ssize_t write_blocks(const char* bytes, std::size_t count);
  bool find_end();

  struct freed {
    void operator()(char* p) const { std::free(p); }
  };

  int fd_;
  int direct_fd_ = -1;
  off_t size_ = -1;  ///< of the file; negative: not known
  /// Aligned; begins with what of the file's last block is written already.
  std::unique_ptr<char[], freed> blocks_;
};

}  // namespace tenure::sinks
