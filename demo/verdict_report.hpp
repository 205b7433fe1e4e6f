#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "demo/fleet.hpp"
#include "demo/tally.hpp"
#include "ownership/time.hpp"

namespace tenure::demo {

/// How a run ended: everything that the verdict says.
struct run_report {
  tally counts;
  std::uint64_t seed = 0;
  double seconds = 0;  ///< of churn and traffic
  bool interrupted = false;
  std::uint64_t ends_told = 0;  ///< connection ends that the instances told of
  std::uint64_t lost = 0;       ///< of these, without any record
  std::uint64_t lost_orphans =
      0;  ///< the same, of ends that were open when their process died; not in `lost`
  std::optional<std::uint64_t> kernel_events_lost;  ///< as the agent counted; nothing when it never said
  std::string last_words;                           ///< of the `tenure up` that was judged
  fleet_counters churn;
  nanos median_gap = 0;  ///< of the hand-overs that were to be short
  nanos shortest_gap = 0;
};

/// What must not be: something misattributed, lost, or said of nobody; each as a sentence. Empty: all is
/// well.
std::vector<std::string> faults(const run_report& r);

/// The object of `--json`; keys are stable.
std::string to_json(const run_report& r);

/// The table at the end.
std::string to_table(const run_report& r, bool colour);

}  // namespace tenure::demo
