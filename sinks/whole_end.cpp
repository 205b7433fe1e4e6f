#include "sinks/whole_end.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>

#include "sinks/block.hpp"

namespace tenure::sinks {

namespace {

/// A line is a record, and far shorter. A longer end without a newline is of some other file, which is left
/// alone.
constexpr off_t longest_torn_line = 1 << 20;
/// More than is ever written between two syncs: what is broken before that was whole once.
constexpr off_t longest_torn_blocks = 1 << 30;

outcome<void> read_at(int fd, const std::string& path, off_t at, void* to, std::size_t bytes) {
  const auto got = ::pread(fd, to, bytes, at);
  if (got == static_cast<ssize_t>(bytes)) return {};
  return fail(trouble::refused, "cannot read " + path + ": " + std::strerror(got < 0 ? errno : EIO));
}

}  // namespace

outcome<off_t> end_of_lines(int fd, const std::string& path, off_t size) {
  char chunk[4096];
  auto at = size;
  while (at > 0) {
    auto length = std::min<off_t>(at, sizeof(chunk));
    if (auto done = read_at(fd, path, at - length, chunk, static_cast<std::size_t>(length)); !done)
      return tl::unexpected(done.error());
    if (const void* newline = ::memrchr(chunk, '\n', static_cast<std::size_t>(length))) {
      return at - length + (static_cast<const char*>(newline) - chunk) + 1;
    }
    at -= length;
    if (size - at > longest_torn_line) {
      return fail(trouble::usage, path + " is not a file of lines; give another one to append records to");
    }
  }
  return 0;
}

outcome<off_t> end_of_blocks(int fd, const std::string& path, off_t size) {
  constexpr off_t head_bytes = sizeof(block_head);
  block_head last;
  off_t begin = 0;  // of the last block
  off_t end = 0;
  while (size - end >= head_bytes) {
    block_head head;
    if (auto done = read_at(fd, path, end, &head, sizeof head); !done) return tl::unexpected(done.error());
    if (!head.plausible() || head.compressed_bytes > size - end - head_bytes) break;
    begin = end;
    last = head;
    end += head_bytes + head.compressed_bytes;
  }
  if (end > 0) {
    std::string frame(last.compressed_bytes, '\0');
    if (auto done = read_at(fd, path, begin + head_bytes, frame.data(), frame.size()); !done)
      return tl::unexpected(done.error());
    if (!open_block(last, frame)) end = begin;
  }
  if (end == 0 && size > 0) {
    block_head head;
    head.magic = 0;
    const auto there = std::min<off_t>(size, sizeof head.magic);
    if (auto done = read_at(fd, path, 0, &head.magic, static_cast<std::size_t>(there)); !done)
      return tl::unexpected(done.error());
    const auto right = block_head::right_magic;
    if (std::memcmp(&head.magic, &right, static_cast<std::size_t>(there)) != 0)
      return fail(trouble::usage, path + " is not a file of blocks; give another one to append records to");
  }
  if (size - end > longest_torn_blocks)
    return fail(trouble::usage, path + " is damaged at byte " + std::to_string(end) +
                                    "; read what is left with tenure read, and give another file");
  return end;
}

}  // namespace tenure::sinks
