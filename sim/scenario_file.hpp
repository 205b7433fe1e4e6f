#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ownership/outcome.hpp"
#include "sim/options.hpp"

namespace tenure::sim {

/// Sets one option by its name as it stands in a scenario file: "fleet.hosts", "horizon". Values are texts:
/// "20", "0.5", "true", "30s". "preset" sets all that one of sim/presets.hpp names.
outcome<void> set_option(scenario& s, std::string_view key, std::string_view value);

/// Every name that `set_option` knows, with what the scenario has there.
std::vector<std::pair<std::string, std::string>> all_options(const scenario& s);

/// What a scenario file says. Each seed makes its scenario from it: with `draw = "swarm"` every option is
/// drawn first, and then what the file sets is set.
class scenario_source {
 public:
  /// A TOML file; failures name file and line. Presets that it names come before everything else it sets.
  static outcome<scenario_source> read(const std::filesystem::path& file);
  /// No file: 120 instances of 12 workloads on 12 hosts and 150 addresses, for half an hour.
  static scenario_source plain(std::string name);

  scenario make(std::uint64_t seed) const;
  const std::string& name() const { return name_; }
  /// The seed that the file names: that of a case which `sim run` wrote down.
  std::optional<std::uint64_t> seed() const { return seed_; }
  /// Sets one more option, over what the file says.
  outcome<void> set(const std::string& key, const std::string& value);

 private:
  std::string name_;
  bool drawn_ = false;
  std::optional<std::uint64_t> seed_;
  std::vector<std::pair<std::string, std::string>> settings_;
};

}  // namespace tenure::sim
