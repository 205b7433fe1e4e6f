#pragma once

#include "cli/command_line.hpp"

namespace tenure::cli {

/// `tenure up`: an agent and one node on this host.
void add_up(command_line& line);

/// `tenure agent`: the agent alone, for a node elsewhere.
void add_agent(command_line& line);

/// `tenure node`: a node alone, for agents elsewhere.
void add_node(command_line& line);

}  // namespace tenure::cli
