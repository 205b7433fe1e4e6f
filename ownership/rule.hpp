#pragma once

#include <algorithm>

#include "ownership/invariant.hpp"
#include "ownership/leading.hpp"
#include "ownership/need.hpp"
#include "ownership/timeline.hpp"
#include "ownership/verdict.hpp"

namespace tenure {

/// Everything that may answer for a far end: the holdings of its port and of its whole address, together,
/// neither preferred. Two forms give it: a timeline, looked at one by one, and an index for those that are
/// long.
///
///     leading sure(need)            what follows from all holdings whose sure hulls meet the need
///     bool any_said(need)           whether any hull of what was said does
///     bool empty()                  whether there is no holding at all
///     interval reach()              the hull of all sure hulls, or of all that was said where none is sure
///
/// The rule (docs/proof.md): who provably held the far end of a flow, then.
///
/// - Sure window: [established + error, last_received - transit - error], both ends included, where that is
///   not empty: at each of its instants the far end held the endpoint, so a tenancy whose hull meets it
///   qualifies.
/// - Too short for that: somewhere in [opened - error, established + error] the far end sent, so a tenancy
///   qualifies only if its hull contains all of it.
/// - Not established: only if the hull contains the whole life, [opened, closed] widened by the error; the
///   caller clears `is_established` for UDP too.
///
/// With an unknown error nothing qualifies; with `opened` unknown (time_min) neither of the last two does.
/// All that qualify must name one workload. Of several tenancies of that workload the one is named whose hull
/// reaches furthest, of equals the smallest id, so that the answer does not depend on the order of evidence.
///
/// @pre times.error and times.transit are not negative.
template <class Candidates>
void resolve(const Candidates& candidates, const flow_times& times, verdict& answer);

template <class Candidates>
reason why_none(const Candidates& candidates, const flow_times& times) {
  if (candidates.empty()) return reason::no_evidence;
  const need without_error = needed(times, 0);
  if (candidates.any_said(without_error)) return reason::clock;
  const need n = times.error == unknown_error ? without_error : needed(times, times.error);
  const interval reach = candidates.reach();
  if (n.first < reach.from) return reason::before_first;
  if (n.last >= reach.until) return reason::after_last;
  return reason::between;
}

template <class Candidates>
void resolve(const Candidates& candidates, const flow_times& times, verdict& answer) {
  invariant(times.error >= 0 && times.transit >= 0, "a flow's error and transit are never negative");
  leading found;
  if (times.error != unknown_error) found = candidates.sure(needed(times, times.error));
  const bool conflict = found.other != workload_id::none;
  const bool attributed = found.workload != workload_id::none && !conflict;
  answer.workload = attributed ? found.workload : workload_id::none;
  answer.tenancy = attributed ? found.tenancy : tenancy_id{};
  answer.basis = attributed ? basis::tenancy : basis::none;
  answer.reason = attributed ? reason::none : conflict ? reason::conflict : why_none(candidates, times);
}

}  // namespace tenure
