#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure demo`: a little fleet on this machine, and the verdict on what `tenure up` says of it. Also the
/// hidden command that is one instance of the fleet.
void add_demo(command_line& line);

}  // namespace tenure::cli
