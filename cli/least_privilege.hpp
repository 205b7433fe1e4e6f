#pragma once

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// Gives up, for good and for every thread that comes later, all capabilities but those that an agent needs
/// while it runs, as far as this process has them: the set of config/systemd/tenure-agent.service. Before any
/// other thread is made. Without capabilities it does nothing.
outcome<void> keep_agent_capabilities();

}  // namespace tenure::cli
