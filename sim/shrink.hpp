#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/options.hpp"

namespace tenure::sim {

/// How many events of a failing run can be left out one by one.
struct event_count {
  std::uint64_t troubles = 0;  ///< as report::troubles
  std::uint64_t attempts = 0;  ///< as report::attempts
};

/// Runs a scenario with the seed of the failing case. @returns nothing when it does not fail the same way
using trial = std::function<std::optional<event_count>(const scenario&)>;

/// A failing case made smaller, step by step, as long as it still fails: options are set to nothing or
/// halved, then single faults and connections are left out.
/// @param budget how often `fails` may be called
scenario shrink(scenario s, const trial& fails, int budget);

/// The scenario as a file that `sim replay` reads: every option, and the seed.
/// @param words comments at its head
std::string to_toml(const scenario& s, std::uint64_t seed, const std::vector<std::string>& words = {});

}  // namespace tenure::sim
