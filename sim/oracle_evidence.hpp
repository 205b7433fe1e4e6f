#pragma once

#include <string>

#include "ownership/evidence.hpp"

namespace tenure::sim {

/// A piece of evidence in words; node's time, in nanoseconds.
std::string to_text(const evidence& e);

}  // namespace tenure::sim
