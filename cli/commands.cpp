#include "cli/commands.hpp"

namespace tenure::cli {

void add_commands(command_line&) {}

}  // namespace tenure::cli
