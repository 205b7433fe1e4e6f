#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tenure::sim {

/// Every kind of trouble that the simulator makes.
enum class fault : std::uint8_t {
  frame_lost,
  frame_blocked,
  dial_refused,
  link_cut,
  link_clogged,
  link_slow,  ///< a frame took longer than a minute
  acknowledgement_lost,
  partition,
  partition_one_way,
  agent_crash,
  agent_crash_at_step,  ///< between two messages of one instant
  agent_upgrade,
  node_crash,
  node_crash_at_step,
  node_leave,
  node_drained,  ///< it left, and all that others were to have they had in time
  node_partition,
  ring_moved,       ///< somebody joined, left, or was dropped; nodes hear of it at different times
  spare_took_over,  ///< an agent lost its link and had another one
  agent_moved,      ///< to a node that had fewer agents
  lot_sent_again,
  lot_repeated,
  flow_rerouted,         ///< taken back from a node that went away
  evidence_undelivered,  ///< to a node that was away
  timeline_handed_over,
  timeline_left_out,  ///< handed over, and not to be bounded in the new holder's time
  hand_over_abandoned,
  agent_stall,
  node_pause,
  guest_pause,
  long_pause,  ///< of an agent, a guest or a node, for five minutes or more
  clock_rate,
  wall_step,
  unseen_death,
  host_death,
  late_set,
  late_del,
  stale_del,
  repeated_set,
  set_in_place,  ///< over a held address, in the same namespace
  stale_del_in_place,
  deploy,
  allocator_restart,
  segment_lost,
  segment_kept,      ///< by a paused guest's card, and delivered after the pause
  segment_stranger,  ///< a segment came to another instance than it was meant for
  reset_by_next,
  challenge_by_next,
  half_open,
  open_before_agent,  ///< a socket that an agent found open when it started
  syn_retried,
  syn_across_handover,
  failed_connect,
  batch_repeated,
  tenancy_forgotten,  ///< by a node, for its horizon or for want of memory
  memory_short,       ///< evidence of a new tenancy that a node had no room for
  output_full,        ///< a node's output had no room for a while
  output_down,        ///< it was away for a while
  output_waited_for,  ///< by a node that had something for it meanwhile
  credit_spent,       ///< an agent sent all that it might, and had to wait
  released_early,     ///< a flow left before its hold was over
  hold_prolonged,     ///< a flow was asked about again after its hold
  record_shared,      ///< an agent that was short of room let several connections share one
  batch_compressed,
  node_older,        ///< a node did not say that it reads packed batches
  settings_taken,    ///< by an agent, from its node
  settings_refused,  ///< by an agent, whole
  count_,
};

inline constexpr std::size_t fault_kinds = static_cast<std::size_t>(fault::count_);

std::string_view to_string(fault f);

/// How often each came about in a run. A swarm in which one never did proves less than it says.
class fault_counts {
 public:
  void add(fault f, std::uint64_t n = 1) { counts_[static_cast<std::size_t>(f)] += n; }
  std::uint64_t operator[](fault f) const { return counts_[static_cast<std::size_t>(f)]; }
  std::uint64_t total() const {
    std::uint64_t all = 0;
    for (const auto n : counts_) all += n;
    return all;
  }
  fault_counts& operator+=(const fault_counts& o) {
    for (std::size_t i = 0; i < fault_kinds; ++i) counts_[i] += o.counts_[i];
    return *this;
  }

 private:
  std::array<std::uint64_t, fault_kinds> counts_{};
};

}  // namespace tenure::sim
