#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Whole lines of a file, one after the other. Lines end with "\n" or "\r\n"; the last one need not. Lines of
/// nothing but blanks are passed over, and counted.
class line_block {
 public:
  /// Behind each line there are this many bytes that may be read, as simdjson does.
  static constexpr std::size_t padding = 64;
  /// A longer line is refused.
  static constexpr std::size_t longest_line = std::size_t{16} << 20;

  /// The next line, without its end, valid until the block is filled again; nothing at the end of the block.
  outcome<std::optional<std::string_view>> next();
  /// Of the line that was read last, from 1 in this block. At its end: how many there were.
  std::uint64_t number() const { return number_; }

 private:
  friend class block_source;

  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what was not handed out yet
  std::size_t end_ = 0;
  bool too_long_ = false;  // it is one line, and not all of it
  std::uint64_t number_ = 0;
};

/// A file as blocks of whole lines, for one thread at a time.
class block_source {
 public:
  static outcome<block_source> open(const std::string& file);

  block_source(block_source&& other) noexcept;
  block_source& operator=(block_source&&) = delete;
  ~block_source();

  /// @returns whether there was anything left.
  outcome<bool> fill(line_block& block);
  const std::string& file() const { return file_; }

 private:
  block_source(std::string file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}

  std::string file_;
  int descriptor_;
  std::vector<char> rest_;  // of the last block: the beginning of a line
  bool at_end_ = false;
};

}  // namespace tenure::cli
