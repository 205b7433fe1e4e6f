#pragma once

#include "ownership/clock_bound.hpp"
#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"

namespace tenure::actors {

/// Brings evidence from the clock that is bounded into ours: its errors grow by what is not known of that
/// clock. @returns false, and the evidence is to be left out, when it cannot be placed.
bool place_in_time(const clock_bound& clock, evidence& e);

/// The same for a flow's stamps. What cannot be placed has an unknown error, or is not known.
void place_in_time(const clock_bound& clock, flow_times& t);

}  // namespace tenure::actors
