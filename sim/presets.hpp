#pragma once

#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace tenure::sim {

/// A situation that was published, as options of a scenario. Several go together, the later over the earlier.
struct preset {
  std::string_view name;
  std::string_view meaning;  ///< and where it comes from
  std::vector<std::pair<std::string_view, std::string_view>> settings;
};

std::span<const preset> presets();

}  // namespace tenure::sim
