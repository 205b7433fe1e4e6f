#include "sim/fault_counts.hpp"

#include "ownership/invariant.hpp"

namespace tenure::sim {

std::string_view to_string(fault f) {
  static constexpr std::array<std::string_view, fault_kinds> names = {
      "frame_lost",       "frame_blocked",       "dial_refused",      "link_cut",
      "link_clogged",     "partition",           "agent_crash",       "node_crash",
      "agent_stall",      "node_pause",          "guest_pause",       "clock_rate",
      "wall_step",        "unseen_death",        "host_death",        "late_set",
      "late_del",         "stale_del",           "repeated_set",      "segment_lost",
      "segment_stranger", "reset_by_next",       "challenge_by_next", "half_open",
      "syn_retried",      "syn_across_handover", "failed_connect",    "batch_repeated"};
  invariant(f < fault::count_, "a fault has a name");
  return names[static_cast<std::size_t>(f)];
}

}  // namespace tenure::sim
