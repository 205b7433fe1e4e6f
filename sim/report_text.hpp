#pragma once

#include <string>
#include <string_view>

#include "sim/world.hpp"

namespace tenure::sim {

/// A whole report as one text, for the way from the process that ran a world to the one that asked for it.
std::string to_text(const report& r);
/// @pre `text` was made by `to_text` of the same program
report report_from(std::string_view text);

}  // namespace tenure::sim
