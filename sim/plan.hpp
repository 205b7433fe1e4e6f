#pragma once

#include <optional>

#include "sim/options.hpp"

namespace tenure::sim {

/// What coverage is reckoned from, without simulating anything.
struct plan_inputs {
  std::vector<quantile> lifetimes;
  double unreported = 0;  ///< share of endings that nobody reports: they are noticed by heartbeats missed
  nanos heartbeat = 0;
  double heartbeat_loss = 0;  ///< share of heartbeats that never arrive; in [0, 1)
  nanos evidence_error = 0;
  nanos flow_error = 0;
};

/// What of a tenancy of this length no evidence can cover, on average: min(L, 2(ee + ef)), and where its end
/// is not reported min(L, 2(ee + ef) + H/2 + Hp/(1 - p)). DESIGN's formula; docs/operators.md has it
/// measured.
nanos uncovered_time(nanos life, bool reported, const plan_inputs& in);

/// The share of short flows that can be attributed when they are spread evenly over the tenancies' time:
/// 1 - E[uncovered] / E[L]. In [0, 1].
double planned_coverage(const plan_inputs& in);

/// The slowest heartbeat, in whole milliseconds, with which the coverage is reached; at most a day. Nothing
/// when clock errors alone forbid it.
std::optional<nanos> heartbeat_for(double coverage, plan_inputs in);

}  // namespace tenure::sim
