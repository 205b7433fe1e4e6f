#pragma once

#include <cstdint>

#include "ownership/outcome.hpp"

namespace tenure::cli {

/// A random number that is not 0, for one start of an agent or a node.
outcome<std::uint64_t> draw_incarnation();

}  // namespace tenure::cli
