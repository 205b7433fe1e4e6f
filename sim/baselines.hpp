#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sim/options.hpp"
#include "sim/random.hpp"
#include "sim/records.hpp"
#include "sim/truth.hpp"

namespace tenure::sim {

/// What another way of attributing made of the same flows.
struct baseline_result {
  std::uint64_t flows = 0;
  std::uint64_t attributed = 0;
  std::uint64_t misattributed = 0;
  std::uint64_t dependencies = 0;
  std::uint64_t false_dependencies = 0;
};

/// Other ways to attribute the far end, all of them told of the same churn:
/// - `events`: assign and unassign events with delay and loss; a flow waits for the hold, then the latest
///   event known about the address at the flow's beginning decides. With the same `draw` the same events are
///   late or lost: a larger delay makes each of them later, a larger loss loses the same ones and more.
/// - `current-owner`: whoever holds the address when the flow is looked at, moments after its end.
/// - `name-range`: for each address and workload name one range from the first holding to the last, without
///   loss; where several hold the flow's beginning, the one that began first decides.
std::map<std::string, baseline_result> judge_baselines(const truth& world, const socket_records& records,
                                                       const baseline_options& options, random draw);

}  // namespace tenure::sim
