#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// Adds `sim run`.
void add_sim(command_line& line);

}  // namespace tenure::cli
