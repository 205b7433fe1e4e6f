#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ownership/outcome.hpp"
#include "sim/scenario_file.hpp"

namespace tenure::sim {

/// Options that a sweep varies together, and the values that they take.
struct sweep_axis {
  std::string name;  ///< as it was given: "fleet.reuse_gap", "network.loss+baselines.loss"
  std::vector<std::string> keys;
  std::vector<std::string> values;
  bool alone = false;  ///< while it varies, the other lone axes stay as the scenario has them
};

/// "KEY=V1,V2" or "KEY+KEY=V1,V2". Neither keys nor values are tried yet.
outcome<sweep_axis> parse_axis(std::string_view text, bool alone);

/// One run of a sweep.
struct sweep_run {
  std::vector<std::string> cells;  ///< a value for each axis; empty: as the scenario has it
  std::uint64_t seed = 0;
  std::string options;  ///< digest of all options, in hexadecimal: another scenario has another
};

/// Runs of one world that differ in nothing but what the baselines are told of it.
struct sweep_world {
  std::vector<std::size_t> runs;  ///< their places in `sweep::runs()`
};

/// The grid of all axes that do not vary alone; at each of its points the scenario as it stands, and each
/// value of each lone axis; each with each seed.
class sweep {
 public:
  /// Fails when there is no such option, a value cannot be read, or two runs would be the same.
  static outcome<sweep> make(scenario_source source, std::vector<sweep_axis> axes, std::uint64_t first_seed,
                             std::uint64_t seeds);

  const std::string& scenario_name() const { return source_.name(); }
  const std::vector<sweep_axis>& axes() const { return axes_; }
  const std::vector<sweep_run>& runs() const { return runs_; }
  scenario scenario_of(const sweep_run& r) const;
  /// What `sim run` is given for the same run, but for the scenario and the seed: "fleet.reuse_gap=30s".
  std::vector<std::string> settings_of(const sweep_run& r) const;
  /// Those of `wanted`, places in `runs()`, by the world that they share.
  std::vector<sweep_world> worlds(const std::vector<std::size_t>& wanted) const;

 private:
  explicit sweep(scenario_source source) : source_(std::move(source)) {}
  outcome<scenario> changed(const std::vector<std::string>& cells, std::uint64_t seed) const;

  scenario_source source_;
  std::vector<sweep_axis> axes_;
  std::vector<sweep_run> runs_;
};

}  // namespace tenure::sim
