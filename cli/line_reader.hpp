#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Reads a file line by line, in large pieces. Lines end with "\n" or "\r\n"; the last one need not. Lines of
/// nothing but blanks are passed over, and counted.
class line_reader {
 public:
  /// Behind each line there are this many bytes that may be read, as simdjson does.
  static constexpr std::size_t padding = 64;
  /// A longer line is refused.
  static constexpr std::size_t longest_line = std::size_t{16} << 20;

  static outcome<line_reader> open(const std::string& file);

  line_reader(line_reader&& other) noexcept;
  line_reader& operator=(line_reader&&) = delete;
  ~line_reader();

  /// The next line, without its end, valid until the next call; nothing at the end of the file.
  outcome<std::optional<std::string_view>> next();

  /// Of the line that was read last, from 1.
  std::uint64_t number() const { return number_; }
  /// "flows.ndjson:12", for refusals about that line.
  std::string place() const { return file_ + ':' + std::to_string(number_); }

 private:
  line_reader(std::string file, int descriptor);
  outcome<void> fill();

  std::string file_;
  int descriptor_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;     // of what was not handed out yet
  std::size_t end_ = 0;       // of what was read
  std::size_t searched_ = 0;  // up to here there is no line end
  bool at_end_ = false;
  std::uint64_t number_ = 0;
};

}  // namespace tenure::cli
