#pragma once

namespace tenure::cli {

class command_line;

/// `tenure sim sweep`. @pre the group "sim" is there
void add_sim_sweep(command_line& line);

}  // namespace tenure::cli
