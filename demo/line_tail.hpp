#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "demo/unique_fd.hpp"

namespace tenure::demo {

/// Reads a file that somebody else appends lines to, as far as it goes.
class line_tail {
 public:
  explicit line_tail(std::string path) : path_(std::move(path)) {}
  /// Hands over each line that became whole since the last call. A file that is not there yet has none.
  void read(const std::function<void(std::string_view)>& line);

 private:
  std::string path_;
  unique_fd file_;
  std::string torn_;  // the beginning of a line whose end is not written yet
};

}  // namespace tenure::demo
