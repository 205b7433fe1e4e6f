#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure bench hold`: what a held flow takes, in memory and CPU time.
void add_bench_hold(command_line& line);

}  // namespace tenure::cli
