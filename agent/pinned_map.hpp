#pragma once

#include <string>

namespace tenure::agent {

/// Where the identity map is in the folder of `--pin`.
std::string pinned_map_path(const std::string& pin);

/// Beside it: how many of its endpoints are ports.
std::string pinned_port_count_path(const std::string& pin);

}  // namespace tenure::agent
