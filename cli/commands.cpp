#include "cli/commands.hpp"

#include "cli/attribute.hpp"
#include "cli/ipman.hpp"
#include "cli/sim.hpp"
#include "cli/up.hpp"

namespace tenure::cli {

void add_commands(command_line& line) {
  add_up(line);
  add_agent(line);
  add_node(line);
  add_ipman(line);
  add_attribute(line);
  add_sim(line);
}

}  // namespace tenure::cli
