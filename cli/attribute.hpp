#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure attribute`: the rule over files, for replays and audits.
void add_attribute(command_line& line);

}  // namespace tenure::cli
