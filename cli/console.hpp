#pragma once

#include <iosfwd>

namespace tenure::cli {

/// Where a command writes: data to `out`, words to `err`.
struct console {
  std::ostream& out;
  std::ostream& err;
};

/// Whether words on this file descriptor may be coloured: a terminal, and NO_COLOR is not set (no-color.org).
bool may_colour(int file_descriptor);

}  // namespace tenure::cli
