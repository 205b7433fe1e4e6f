#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// Adds `check`.
void add_check(command_line& line);

}  // namespace tenure::cli
