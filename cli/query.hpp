#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure query ledger`: what a running node says of itself.
void add_query(command_line& line);

}  // namespace tenure::cli
