#pragma once

#include <map>
#include <string>
#include <vector>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// A key of a TOML file, with the place that refusals name.
struct config_value {
  std::vector<std::string> texts;  ///< one, or as many as the array has
  bool array = false;
  std::string place;  ///< "tenure.toml:12: up.hold"
};

/// What a file may say: for each command ("up", "sim run") the names of its options.
using known_keys = std::map<std::string, std::vector<std::string>>;

/// Reads a TOML file and returns the section of one command. The whole file is checked: a section or key that
/// no command knows is refused with file, line and name, wherever it stands.
outcome<std::map<std::string, config_value>> read_config(const std::string& file, const known_keys& known,
                                                         const std::string& command);

}  // namespace tenure::cli
