#pragma once

#include <string>
#include <vector>

#include "cli/node_service.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cli {

/// UDP is neither encrypted nor does it show who speaks: beyond this host, or beside certificates, somebody
/// has to have said that this is meant.
outcome<void> check_openness(const std::vector<std::string>& addresses, bool meant, bool certificates);
outcome<void> check_openness(const node_options& o, bool certificates);

}  // namespace tenure::cli
