#pragma once

#include <string>

namespace tenure::agent {

/// Where the identity map is in the folder of `--pin`.
std::string pinned_map_path(const std::string& pin);

}  // namespace tenure::agent
