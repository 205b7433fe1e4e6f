#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure read`: the records of a file of blocks, as lines.
void add_read(command_line& line);

}  // namespace tenure::cli
