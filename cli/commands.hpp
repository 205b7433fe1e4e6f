#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// Adds every subcommand of `tenure`, in the order in which the help lists them. An explicit list: nothing
/// registers itself.
void add_commands(command_line& line);

}  // namespace tenure::cli
