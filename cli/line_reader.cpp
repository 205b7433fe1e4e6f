#include "cli/line_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace tenure::cli {

namespace {

constexpr std::size_t piece = std::size_t{1} << 20;

bool blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

outcome<line_reader> line_reader::open(const std::string& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return fail(trouble::usage, file + ": cannot be read: " + std::strerror(errno));
  return line_reader(file, descriptor);
}

line_reader::line_reader(std::string file, int descriptor)
    : file_(std::move(file)), descriptor_(descriptor), buffer_(2 * piece + padding) {}

line_reader::line_reader(line_reader&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      end_(other.end_),
      searched_(other.searched_),
      at_end_(other.at_end_),
      number_(other.number_) {}

line_reader::~line_reader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

outcome<void> line_reader::fill() {
  if (end_ - begin_ > longest_line) {
    ++number_;
    return fail(trouble::usage, place() + ": expected a line of at most 16 MiB");
  }
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
            buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
  searched_ -= begin_;
  end_ -= begin_;
  begin_ = 0;
  if (buffer_.size() < end_ + piece + padding) buffer_.resize(2 * buffer_.size());
  for (;;) {
    const auto got = ::read(descriptor_, buffer_.data() + end_, piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(trouble::usage, file_ + ": cannot be read: " + std::strerror(errno));
    at_end_ = got == 0;
    end_ += static_cast<std::size_t>(got);
    return {};
  }
}

outcome<std::optional<std::string_view>> line_reader::next() {
  for (;;) {
    const void* const found = std::memchr(buffer_.data() + searched_, '\n', end_ - searched_);
    if (found == nullptr && !at_end_) {
      searched_ = end_;
      if (auto filled = fill(); !filled) return tl::unexpected(filled.error());
      continue;
    }
    if (found == nullptr && begin_ == end_) return std::nullopt;
    const auto line_end =
        found == nullptr ? end_ : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
    const std::string_view line(buffer_.data() + begin_, line_end - begin_);
    begin_ = found == nullptr ? end_ : line_end + 1;
    searched_ = begin_;
    ++number_;
    if (!blank(line)) return line;
  }
}

}  // namespace tenure::cli
