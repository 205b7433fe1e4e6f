#pragma once

#include <functional>
#include <string>

#include "sim/options.hpp"

namespace tenure::sim {

/// A failing case made smaller: options are set to nothing, halved or brought to their mildest, one after the
/// other, as long as it still fails.
/// @param fails runs a scenario with the same seed
/// @param budget how often `fails` may be called
scenario shrink(scenario s, const std::function<bool(const scenario&)>& fails, int budget);

/// The scenario as a file that `sim replay` reads: every option, and the seed.
std::string to_toml(const scenario& s, std::uint64_t seed);

}  // namespace tenure::sim
