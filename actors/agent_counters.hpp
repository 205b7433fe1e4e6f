#pragma once

#include <atomic>
#include <cstdint>

namespace tenure::actors {

/// What one agent counted since it started; gauges say so. Written by its exporter, read by anyone.
///
/// The ledger: flows_observed = flows_acknowledged + flows_retained + flows_dropped + those not sealed yet. A
/// record that stands for several connections counts as so many flows.
struct agent_counters {
  using counter = std::atomic<std::uint64_t>;

  counter flows_observed = 0;
  counter flows_joined = 0;          ///< that share the record of another one: the agent was short of room
  counter flows_waiting = 0;         ///< gauge: handed over by the source, and not looked at yet
  counter flows_overrun = 0;         ///< too many waited: they were not taken, nor counted as observed
  counter flows_near_unproved = 0;   ///< nobody was proved to be the near end
  counter flows_near_by_cgroup = 0;  ///< named by the socket's cgroup, without a tenancy
  counter flows_acknowledged = 0;
  counter flows_retained = 0;  ///< gauge
  counter flows_dropped = 0;   ///< the bound on retention was passed
  counter batches_sealed = 0;
  counter batches_acknowledged = 0;
  counter batches_retained = 0;  ///< gauge
  counter batches_dropped = 0;
  counter bytes_retained = 0;     ///< gauge
  counter bytes_spooled = 0;      ///< gauge
  counter spool_failures = 0;     ///< batches that could not be written to the spool
  counter tenancies_live = 0;     ///< gauge
  counter tenancies_refused = 0;  ///< the kernel's map had no room for them
  counter dials_failed = 0;       ///< no node, or none that welcomed
  counter connects = 0;           ///< to a node, that were welcomed
  counter takeovers{0};           ///< the spare link took the lost one's place
  counter moves{0};               ///< to a node that had clearly fewer agents
  counter disconnects = 0;
  counter frames_refused = 0;  ///< from a node: not a valid message
  counter ipman_requests = 0;
  counter bytes_saved = 0;       ///< of batches, by sending them compressed
  counter flows_left_out = 0;    ///< by a filter or by sampling
  counter settings_version = 0;  ///< gauge: of those that a node gave; 0: none
  counter settings_refused = 0;  ///< of a node: they could not be used
};

}  // namespace tenure::actors
