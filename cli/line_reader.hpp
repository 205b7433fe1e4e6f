#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cli/line_block.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Reads a file line by line (line_block says what is one), in large pieces.
class line_reader {
 public:
  static outcome<line_reader> open(const std::string& file);

  /// The next line, without its end, valid until the next call; nothing at the end of the file. A failure
  /// says the place.
  outcome<std::optional<std::string_view>> next();

  /// Of the line that was read last, from 1.
  std::uint64_t number() const { return lines_before_ + block_.number(); }
  /// "flows.ndjson:12", for refusals about that line.
  std::string place() const { return source_.file() + ':' + std::to_string(number()); }

 private:
  explicit line_reader(block_source source) : source_(std::move(source)) {}

  block_source source_;
  line_block block_;
  std::uint64_t lines_before_ = 0;
};

}  // namespace tenure::cli
