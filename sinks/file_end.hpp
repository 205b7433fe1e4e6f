#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
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
  /// @pre nothing is kept
  ssize_t write(const char* bytes, std::size_t count);

  /// Whether there is room to lend.
  bool lends() const { return blocks_ != nullptr; }
  /// Where bytes lie that are written without a copy: behind those that are kept. @pre lends()
  std::span<char> room(std::size_t at_least);
  /// Keeps the first `bytes` of that room, to be written.
  void keep(std::size_t bytes) { kept_ += bytes; }
  std::string_view kept() const { return {blocks_.get() + begun_, kept_}; }
  void drop_kept() { kept_ = 0; }
  /// As ::write of what is kept; what is not taken stays kept. Of much, what does not fill a block is left.
  ssize_t write_kept();

 private:
  ssize_t write_blocks();
  void moved_on(std::size_t taken);
  bool find_end();

  struct freed {
    void operator()(char* p) const { std::free(p); }
  };
  using aligned = std::unique_ptr<char[], freed>;
  static aligned allocate(std::size_t bytes);

  int fd_;
  int direct_fd_ = -1;
  off_t size_ = -1;  ///< of the file; negative: not known
  /// Aligned; begins with what of the file's last block is written already, then comes what is kept.
  aligned blocks_;
  std::size_t capacity_ = 0;
  std::size_t begun_ = 0;  ///< how much is written already
  std::size_t kept_ = 0;
};

}  // namespace tenure::sinks
