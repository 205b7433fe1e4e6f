#include "sinks/file_end.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::sinks {

namespace {

// What devices and file systems ask of addresses, offsets and lengths is this or a part of it.
constexpr std::size_t block = 4096;
// One write costs the system some microseconds and the device's answer: a megabyte carries that easily.
constexpr std::size_t room = std::size_t{1} << 20;
// Less than this is cheaper by way of the page cache.
constexpr std::size_t worth_it = 64U << 10;
constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

file_end::~file_end() {
  if (direct_fd_ >= 0) ::close(direct_fd_);
}

void file_end::bypass_cache() {
  // The same file, whatever became of its name.
  direct_fd_ = ::open(("/proc/self/fd/" + std::to_string(fd_)).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  if (direct_fd_ < 0) return;
  blocks_.reset(static_cast<char*>(std::aligned_alloc(huge_page, huge_page)));
  if (blocks_)
    ::madvise(blocks_.get(), huge_page, MADV_HUGEPAGE);  // only advice; fewer pages to pin for each write
  else
    ::close(std::exchange(direct_fd_, -1));
}

/// Learns the size, and reads what the last block begins with, unless both are known. Others may have cut the
/// file off, as those do that rotate logs.
bool file_end::find_end() {
  struct stat about {};
  if (::fstat(fd_, &about) != 0) return false;
  if (about.st_size == size_) return true;
  const auto begun = static_cast<std::size_t>(about.st_size) % block;
  const off_t at = about.st_size - static_cast<off_t>(begun);
  if (::pread(fd_, blocks_.get(), begun, at) != static_cast<ssize_t>(begun)) return false;
  size_ = about.st_size;
  return true;
}

ssize_t file_end::write(const char* bytes, std::size_t count) {
  if (direct_fd_ >= 0 && count >= worth_it && find_end())
    if (const ssize_t taken = write_blocks(bytes, count); taken > 0) return taken;
  // The rest of a block, a small write, or the trouble that a large one met: the system says here what it is.
  const ssize_t taken = ::write(fd_, bytes, count);
  if (taken > 0 && size_ >= 0) {
    const auto begun = static_cast<std::size_t>(size_) % block;
    const auto more = static_cast<std::size_t>(taken);
    if (begun + more < block) {
      std::memcpy(blocks_.get() + begun, bytes, more);
      size_ += taken;
    } else {
      size_ = -1;
    }
  }
  return taken;
}

/// Writes whole blocks, the one that has begun once more among them.
/// @returns how much of `bytes` is in them; not positive when that did not work
ssize_t file_end::write_blocks(const char* bytes, std::size_t count) {
  const auto begun = static_cast<std::size_t>(size_) % block;
  const std::size_t whole = std::min(begun + count, room) / block * block;
  std::memcpy(blocks_.get() + begun, bytes, whole - begun);
  const ssize_t written = ::pwrite(direct_fd_, blocks_.get(), whole, size_ - static_cast<off_t>(begun));
  if (written == static_cast<ssize_t>(whole)) {
    size_ += static_cast<off_t>(whole - begun);
    return static_cast<ssize_t>(whole - begun);
  }
  size_ = -1;  // what the last block holds is to be read again
  if (written < 0 && errno != ENOSPC && errno != EDQUOT && errno != EINTR)
    ::close(std::exchange(direct_fd_, -1));  // this file does not take it
  return written - static_cast<ssize_t>(begun);
}

}  // namespace tenure::sinks
