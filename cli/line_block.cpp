#include "cli/line_block.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace tenure::cli {

namespace {

constexpr std::size_t piece = std::size_t{1} << 18;

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

outcome<std::optional<std::string_view>> line_block::next() {
  while (begin_ < end_) {
    ++number_;
    if (too_long_) return fail(trouble::usage, "expected a line of at most 16 MiB");
    const char* const begin = buffer_.data() + begin_;
    const void* const found = std::memchr(begin, '\n', end_ - begin_);
    const auto size =
        found == nullptr ? end_ - begin_ : static_cast<std::size_t>(static_cast<const char*>(found) - begin);
    begin_ += std::min(size + 1, end_ - begin_);
    if (const std::string_view line(begin, size); !blank(line)) return line;
  }
  return std::nullopt;
}

outcome<block_source> block_source::open(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(trouble::usage, file + ": cannot be read: " + std::strerror(errno));
  return block_source(file, descriptor);
}

block_source::block_source(block_source&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      rest_(std::move(other.rest_)),
      at_end_(other.at_end_) {}

block_source::~block_source() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

outcome<bool> block_source::fill(line_block& block) {
  block.begin_ = 0;
  block.number_ = 0;
  block.too_long_ = false;
  auto& buffer = block.buffer_;
  std::size_t end = rest_.size();
  if (buffer.size() < end + piece + line_block::padding) buffer.resize(end + piece + line_block::padding);
  std::copy(rest_.begin(), rest_.end(), buffer.begin());
  rest_.clear();
  const char* after_last_line = nullptr;
  while (!at_end_ && after_last_line == nullptr && end <= line_block::longest_line) {
    if (buffer.size() < end + piece + line_block::padding) buffer.resize(2 * buffer.size());
    const auto got = ::read(descriptor_, buffer.data() + end, piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(trouble::usage, file_ + ": cannot be read: " + std::strerror(errno));
    at_end_ = got == 0;
    const void* const last = ::memrchr(buffer.data() + end, '\n', static_cast<std::size_t>(got));
    if (last != nullptr) after_last_line = static_cast<const char*>(last) + 1;
    end += static_cast<std::size_t>(got);
  }
  if (after_last_line != nullptr) {
    const auto whole = static_cast<std::size_t>(after_last_line - buffer.data());
    rest_.assign(after_last_line, after_last_line + (end - whole));
    end = whole;
  }
  block.too_long_ = after_last_line == nullptr && !at_end_;
  block.end_ = end;
  return end > 0;
}

}  // namespace tenure::cli
