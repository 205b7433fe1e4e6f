#pragma once

#include <string>

#include "cli/evidence_file.hpp"
#include "ownership/explanation.hpp"

namespace tenure::cli {

/// An explanation as sentences: what the flow asks about and how that follows from its stamps, which tenancy
/// surely held the endpoint then, or what the others lack. Names come from the evidence file.
/// @param lines whether each sentence has its own line; otherwise all stand on one.
std::string explanation_text(const explanation& x, const evidence_names& names, bool lines);

}  // namespace tenure::cli
