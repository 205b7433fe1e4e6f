#include "sinks/file_end.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::sinks {

namespace {

constexpr std::size_t block = piece::block;
// Less than this is cheaper by way of the page cache.
constexpr std::size_t worth_it = 64U << 10;

}  // namespace

file_end::~file_end() {
  if (direct_fd_ >= 0) ::close(direct_fd_);
}

void file_end::bypass_cache() {
  // The same file, whatever became of its name.
  direct_fd_ = ::open(("/proc/self/fd/" + std::to_string(fd_)).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  if (direct_fd_ >= 0) find_end();
}

/// Learns the size, and reads what the last block begins with, unless both are known. Others may have cut the
/// file off, as those do that rotate logs.
bool file_end::find_end() {
  struct stat about {};
  if (::fstat(fd_, &about) != 0) return false;
  if (about.st_size == size_) return true;
  size_ = -1;
  const auto begun = static_cast<std::size_t>(about.st_size) % block;
  std::memmove(tail_.data() + begun, tail_.data() + begun_, kept_);
  begun_ = begun;
  const off_t at = about.st_size - static_cast<off_t>(begun);
  if (::pread(fd_, tail_.data(), begun, at) != static_cast<ssize_t>(begun)) return false;
  size_ = about.st_size;
  return true;
}

int file_end::write(piece& p) {
  while (p.size() > 0) {
    if (direct_fd_ >= 0 && p.size() >= worth_it && find_end() && write_blocks(p)) continue;
    // A small write, or the trouble that a large one met: the system says here what it is.
    if (const int error = write_kept(); error != 0) return error;
    const ssize_t taken = ::write(fd_, p.bytes().data(), p.size());
    if (taken < 0) return errno;
    if (taken == 0) return EIO;  // some file systems say so
    size_ = -1;                  // what the last block holds is read again before it is written again
    begun_ = (begun_ + static_cast<std::size_t>(taken)) % block;
    p.drop(static_cast<std::size_t>(taken));
  }
  return 0;
}

int file_end::write_kept() {
  while (kept_ > 0) {
    const ssize_t taken = ::write(fd_, tail_.data() + begun_, kept_);
    if (taken < 0) return errno;
    if (taken == 0) return EIO;
    size_ = -1;
    const std::size_t rest = begun_ + static_cast<std::size_t>(taken);
    begun_ = rest % block;
    kept_ -= static_cast<std::size_t>(taken);
    std::memmove(tail_.data() + begun_, tail_.data() + rest, kept_);
  }
  return 0;
}

/// Writes whole blocks, the one that has begun once more among them. @returns whether anything was taken
bool file_end::write_blocks(piece& p) {
  const std::size_t before = begun_ + kept_;
  if (before >= block) return false;
  const char* const start = p.lead_with({tail_.data(), before});
  const std::size_t all = before + p.size();
  const std::size_t whole = all / block * block;
  const ssize_t written = ::pwrite(direct_fd_, start, whole, size_ - static_cast<off_t>(begun_));
  if (written == static_cast<ssize_t>(whole)) {
    size_ += written - static_cast<off_t>(begun_);
    begun_ = 0;
    kept_ = all - whole;
    std::memcpy(tail_.data(), start + whole, kept_);
    p.drop(p.size());
    return true;
  }
  size_ = -1;
  if (written < 0 && errno != ENOSPC && errno != EDQUOT && errno != EINTR)
    ::close(std::exchange(direct_fd_, -1));  // this file does not take it
  if (written <= static_cast<ssize_t>(begun_)) return false;
  const std::size_t taken = static_cast<std::size_t>(written) - begun_;
  const std::size_t of_kept = std::min(taken, kept_);
  kept_ -= of_kept;
  std::memmove(tail_.data() + begun_, tail_.data() + begun_ + of_kept, kept_);
  p.drop(taken - of_kept);
  return true;
}

}  // namespace tenure::sinks
