#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure explain`: why the rule answers as it does, for a doubter to check by hand.
void add_explain(command_line& line);

}  // namespace tenure::cli
