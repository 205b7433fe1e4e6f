#pragma once

#include <span>

#include "ownership/flow.hpp"
#include "ownership/timeline.hpp"
#include "ownership/verdict.hpp"

namespace tenure {

/// The rule (docs/proof.md): who provably held the far end of a flow, then.
///
/// - Sure window: [established + error, last_received - transit - error], both ends included, where that is
/// not
///   empty: at each of its instants the far end held the endpoint, so a tenancy whose hull meets it
///   qualifies.
/// - Too short for that: somewhere in [opened - error, established + error] the far end sent, so a tenancy
///   qualifies only if its hull contains all of it.
/// - Not established: only if the hull contains the whole life, [opened, closed] widened by the error; the
/// caller
///   clears `is_established` for UDP too.
///
/// With an unknown error nothing qualifies; with `opened` unknown (time_min) neither of the last two does.
///
/// All that qualify must name one workload. Of several tenancies of that workload the smallest id is named,
/// so that the answer does not depend on the order of evidence.
///
/// @pre times.error and times.transit are not negative.
/// @param port the holdings of the far end's port; @param whole those of its whole address. Neither is
/// preferred.
verdict resolve(std::span<const holding> port, std::span<const holding> whole, const flow_times& times);

}  // namespace tenure
