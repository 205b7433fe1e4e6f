#pragma once

#include <cstdint>

#include "sim/options.hpp"

namespace tenure::sim {

/// A scenario of its own for each seed: every fault is there in about half of the runs, each time as strong
/// as it is drawn, so that rare meetings of two faults are not drowned by the rest.
scenario swarm(std::uint64_t seed);

}  // namespace tenure::sim
