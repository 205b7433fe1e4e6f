#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure bench resolve` and `tenure bench merge`: what the heart of it costs on this machine.
void add_bench(command_line& line);

}  // namespace tenure::cli
