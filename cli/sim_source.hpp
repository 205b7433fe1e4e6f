#pragma once

#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "sim/scenario_file.hpp"
#include "sim/world.hpp"

namespace tenure::cli {

/// What the commands of the simulator begin with: a scenario's file, presets, options set by themselves.
struct sim_source {
  std::string scenario;
  std::vector<std::string> presets;
  std::vector<std::string> set;

  /// Adds what names them, but for `--set`, which means something else to a sweep.
  void add_to(command& c);
  /// @param set "KEY=VALUE", over the file and the presets
  outcome<sim::scenario_source> read(const std::vector<std::string>& set) const;
  /// The command that runs this with one seed.
  std::string run_command(std::uint64_t seed, const std::vector<std::string>& set) const;
};

/// "KEY=V1" "V2" is "KEY=V1,V2": the environment's lists are cut at commas.
std::vector<std::string> joined_at_commas(const std::vector<std::string>& texts);

/// One run, with the CPU time that it took. @param twice once more, which has to come to the same:
/// otherwise I8 is broken
/// @param keep as for sim::run
sim::report run_and_measure(const sim::scenario& scenario, std::uint64_t seed, bool twice,
                            const std::vector<sim::baseline_options>& also = {},
                            sim::kept_history* keep = nullptr);

}  // namespace tenure::cli
