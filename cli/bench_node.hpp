#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure bench node`: a node of its own process under a played fleet, and what its flows cost.
void add_bench_node(command_line& line);

}  // namespace tenure::cli
