#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure bench load`: a fleet of played agents against a node.
void add_bench_load(command_line& line);

}  // namespace tenure::cli
