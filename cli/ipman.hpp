#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure ipman set|del|list`: assigns addresses to workloads, by an operator's hand.
void add_ipman(command_line& line);

}  // namespace tenure::cli
