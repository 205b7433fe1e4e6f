#include "sinks/file_end.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <new>
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
constexpr std::size_t most_at_once = std::size_t{1} << 20;
// Less than this is cheaper by way of the page cache.
constexpr std::size_t worth_it = 64U << 10;
constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

file_end::~file_end() {
  if (direct_fd_ >= 0) ::close(direct_fd_);
}

file_end::aligned file_end::allocate(std::size_t bytes) {
  aligned out(static_cast<char*>(std::aligned_alloc(huge_page, bytes)));
  // Only advice; fewer pages to pin for each write.
  if (out) ::madvise(out.get(), bytes, MADV_HUGEPAGE);
  return out;
}

void file_end::bypass_cache() {
  // The same file, whatever became of its name.
  direct_fd_ = ::open(("/proc/self/fd/" + std::to_string(fd_)).c_str(), O_RDWR | O_DIRECT | O_CLOEXEC);
  if (direct_fd_ < 0) return;
  blocks_ = allocate(huge_page);
  if (blocks_)
    capacity_ = huge_page;
  else
    ::close(std::exchange(direct_fd_, -1));
}

std::span<char> file_end::room(std::size_t at_least) {
  // A block more, since the file may turn out to end elsewhere than thought.
  const std::size_t needed = block + kept_ + at_least + block;
  if (needed > capacity_) {
    const std::size_t more = (needed + huge_page - 1) / huge_page * huge_page;
    auto larger = allocate(more);
    if (!larger) throw std::bad_alloc();
    std::memcpy(larger.get(), blocks_.get(), begun_ + kept_);
    blocks_ = std::move(larger);
    capacity_ = more;
  }
  const std::size_t used = begun_ + kept_;
  return {blocks_.get() + used, capacity_ - block - used};
}

/// Learns the size, and reads what the last block begins with, unless both are known. Others may have cut the
/// file off, as those do that rotate logs.
bool file_end::find_end() {
  struct stat about {};
  if (::fstat(fd_, &about) != 0) return false;
  if (about.st_size == size_) return true;
  size_ = -1;
  const auto begun = static_cast<std::size_t>(about.st_size) % block;
  std::memmove(blocks_.get() + begun, blocks_.get() + begun_, kept_);
  begun_ = begun;
  const off_t at = about.st_size - static_cast<off_t>(begun);
  if (::pread(fd_, blocks_.get(), begun, at) != static_cast<ssize_t>(begun)) return false;
  size_ = about.st_size;
  return true;
}

ssize_t file_end::write(const char* bytes, std::size_t count) {
  if (direct_fd_ < 0) return ::write(fd_, bytes, count);
  const std::size_t piece = std::min(count, most_at_once);
  std::memcpy(room(piece).data(), bytes, piece);
  keep(piece);
  const ssize_t taken = write_kept();
  drop_kept();
  return taken;
}

ssize_t file_end::write_kept() {
  if (direct_fd_ >= 0 && kept_ >= worth_it && find_end())
    if (const ssize_t taken = write_blocks(); taken > 0) return taken;
  // The rest of a block, a small write, or the trouble that a large one met: the system says here what it is.
  const ssize_t taken = ::write(fd_, blocks_.get() + begun_, kept_);
  if (taken <= 0) return taken;
  if (size_ >= 0) size_ += taken;
  moved_on(static_cast<std::size_t>(taken));
  return taken;
}

/// So much of what was kept is in the file.
void file_end::moved_on(std::size_t taken) {
  const std::size_t written = begun_ + taken;
  kept_ -= taken;
  begun_ = written % block;
  std::memmove(blocks_.get(), blocks_.get() + (written - begun_), begun_ + kept_);
}

/// Writes whole blocks, the one that has begun once more among them.
/// @returns how much of what is kept is in them; not positive when that did not work
ssize_t file_end::write_blocks() {
  const std::size_t whole = (begun_ + kept_) / block * block;
  const auto begun = static_cast<ssize_t>(begun_);
  const ssize_t written = ::pwrite(direct_fd_, blocks_.get(), whole, size_ - static_cast<off_t>(begun_));
  if (written == static_cast<ssize_t>(whole)) {
    const std::size_t taken = whole - begun_;
    size_ += static_cast<off_t>(taken);
    moved_on(taken);
    return static_cast<ssize_t>(taken);
  }
  size_ = -1;  // what the last block holds is to be read again
  if (written < 0 && errno != ENOSPC && errno != EDQUOT && errno != EINTR)
    ::close(std::exchange(direct_fd_, -1));  // this file does not take it
  if (written > begun) moved_on(static_cast<std::size_t>(written - begun));
  return written - begun;
}

}  // namespace tenure::sinks
