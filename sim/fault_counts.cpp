#include "sim/fault_counts.hpp"

#include "ownership/invariant.hpp"

namespace tenure::sim {

std::string_view to_string(fault f) {
  static constexpr std::array<std::string_view, fault_kinds> names = {"frame_lost",
                                                                      "frame_blocked",
                                                                      "dial_refused",
                                                                      "link_cut",
                                                                      "link_clogged",
                                                                      "link_slow",
                                                                      "acknowledgement_lost",
                                                                      "partition",
                                                                      "partition_one_way",
                                                                      "agent_crash",
                                                                      "agent_crash_at_step",
                                                                      "agent_upgrade",
                                                                      "node_crash",
                                                                      "node_crash_at_step",
                                                                      "node_leave",
                                                                      "node_partition",
                                                                      "ring_moved",
                                                                      "spare_took_over",
                                                                      "lot_sent_again",
                                                                      "lot_repeated",
                                                                      "flow_rerouted",
                                                                      "evidence_undelivered",
                                                                      "timeline_handed_over",
                                                                      "timeline_left_out",
                                                                      "hand_over_abandoned",
                                                                      "agent_stall",
                                                                      "node_pause",
                                                                      "guest_pause",
                                                                      "long_pause",
                                                                      "clock_rate",
                                                                      "wall_step",
                                                                      "unseen_death",
                                                                      "host_death",
                                                                      "late_set",
                                                                      "late_del",
                                                                      "stale_del",
                                                                      "repeated_set",
                                                                      "set_in_place",
                                                                      "stale_del_in_place",
                                                                      "deploy",
                                                                      "allocator_restart",
                                                                      "segment_lost",
                                                                      "segment_kept",
                                                                      "segment_stranger",
                                                                      "reset_by_next",
                                                                      "challenge_by_next",
                                                                      "half_open",
                                                                      "open_before_agent",
                                                                      "syn_retried",
                                                                      "syn_across_handover",
                                                                      "failed_connect",
                                                                      "batch_repeated",
                                                                      "tenancy_forgotten",
                                                                      "memory_short",
                                                                      "credit_spent",
                                                                      "released_early",
                                                                      "hold_prolonged"};
  invariant(f < fault::count_, "a fault has a name");
  return names[static_cast<std::size_t>(f)];
}

}  // namespace tenure::sim
