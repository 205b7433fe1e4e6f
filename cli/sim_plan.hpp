#pragma once

namespace tenure::cli {

class command_line;

/// `tenure sim plan`. @pre the group "sim" is there
void add_sim_plan(command_line& line);

}  // namespace tenure::cli
