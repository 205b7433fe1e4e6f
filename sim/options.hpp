#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ownership/time.hpp"
#include "sim/network.hpp"

namespace tenure::sim {

/// A point of a lifetime distribution: this share of instances lives no longer than `age`.
struct quantile {
  double share = 0;
  nanos age = 0;
};

/// Which of the events of one kind happen, by their number in the run, from 1; all of them when empty. What
/// is left of a failing case that was made smaller.
using chosen_events = std::optional<std::vector<std::uint32_t>>;

/// @pre the numbers are rising
inline bool happens(const chosen_events& chosen, std::uint64_t number) {
  return !chosen || std::binary_search(chosen->begin(), chosen->end(), number);
}

/// The workloads, where they run and how they come and go.
struct fleet_options {
  std::uint32_t workloads = 8;
  std::uint32_t instances = 60;  ///< that the fleet strives for, all workloads together
  std::uint32_t hosts = 6;
  std::uint32_t addresses = 80;  ///< the pool; at least one more than instances
  nanos reuse_gap = 0;           ///< an address rests so long before it is given out again
  bool latest_first = true;      ///< the allocator prefers the address that was freed last
  /// Rising in both; log-uniform in between.
  std::vector<quantile> lifetimes = {{0, 5 * second}, {1, 300 * second}};
  nanos spread_start = 20 * second;        ///< the first instances come within this time
  double port_share = 0.2;                 ///< of instances that state one port, not the whole address
  double unseen_share = 0.3;               ///< of endings that no platform announces
  double withdrawn_share = 0.5;            ///< of unannounced endings that rtnetlink shows
  nanos set_late = 500 * millisecond;      ///< a platform says `set` up to so long after the address is there
  nanos del_late = 500 * millisecond;      ///< and `del` up to so long after the last socket
  double double_grant_share = 0;           ///< broken assumption: an address is given out while it is held
  double in_place_share = 0;               ///< of endings: the platform sets the next over the held address
  double repeat_share = 0.1;               ///< of calls that platforms make twice, or long afterwards
  double same_again_share = 0;             ///< of endings after which the same workload has the address again
  double deploys_per_hour = 0;             ///< each swaps a quarter of a workload at once
  double allocator_restarts_per_hour = 0;  ///< each drops the re-use gap to 0 for a minute
};

/// Who calls whom, and how.
struct traffic_options {
  nanos connect_every = 10 * second;  ///< mean, an instance
  std::uint32_t callers = 0;          ///< only so many workloads open connections, the first ones; 0: all
  std::uint32_t callees = 3;          ///< workloads that each workload calls
  nanos exchange_gap = second;        ///< mean time between a connection's exchanges
  std::uint32_t exchanges = 3;        ///< mean of a connection
  double udp_share = 0.1;
  nanos delay_min = 50 * microsecond;
  nanos delay_max = 5 * millisecond;
  double slow_share = 0.02;           ///< of segments that take up to `transit`
  nanos transit = 200 * millisecond;  ///< what agents declare, and the network keeps
  double loss = 0.01;
  double outside_share = 0;       ///< of connects out of the fleet: beyond the routable, or host-local
  double stale_share = 0.2;       ///< of connects by an old answer of the service registry
  nanos stale_age = 30 * second;  ///< which is up to so old
  double masquerade_share = 0;    ///< broken assumption: opened from behind an exclusive address of another
  double challenge_share = 0.2;   ///< of strange segments that are answered by a challenge ACK, not a RST
  nanos server_patience = 20 * second;  ///< idle servers probe after that
  double kept_share = 0;                ///< of segments to a paused guest that its card keeps for it
  chosen_events only;                   ///< of the attempts to connect
  nanos tick = 4 * millisecond;         ///< the kernel's; last_received is known to it
};

/// Agents, nodes, their clocks and settings.
struct cluster_options {
  std::uint32_t nodes = 1;      ///< of one cluster
  std::uint32_t replicas = 2;   ///< nodes that have the evidence about an address
  nanos warm_up = 10 * second;  ///< after it a node that started counts as knowing
  bool leases = false;          ///< who is there is told by leases, not by a list
  nanos lease = 5 * second;     ///< a node that fell silent for so long is no member
  nanos view_delay = second;    ///< mean, until a node hears of a change of members
  nanos hold = 60 * second;
  nanos hold_longest = 0;         ///< for flows that lack nothing but evidence; no effect up to `hold`
  bool release_early = false;     ///< flows leave the hold as soon as they are attributed
  std::uint32_t held_memory = 0;  ///< bytes that a node gives credit for; 0: a gigabyte
  nanos horizon = 24 * hour;      ///< what nodes remember
  std::uint32_t memory = 0;       ///< about how many bytes of it, all shards of a node together; 0: no bound
  nanos heartbeat = 10 * second;
  nanos linger = second;
  nanos repeat = 360 * second;
  std::int64_t drift_ppm = 200;       ///< what nodes assume
  std::int64_t clock_ppm = 100;       ///< how far off a clock's rate may really be, either side
  nanos clock_offset = 300 * second;  ///< and its reading
  /// Short connections share records while so many flows wait for an agent; 0: never.
  std::uint32_t shed_waiting = 0;
  bool compress = false;  ///< agents send batches compressed
};

/// How often what goes wrong, in events an hour over the whole run; 0: never.
struct fault_options {
  double agent_crashes = 0;
  double agent_upgrades = 0;  ///< a new agent takes the old one's place at once
  double node_crashes = 0;
  double link_cuts = 0;
  double partitions = 0;
  double node_partitions = 0;  ///< between two nodes
  double node_leaves = 0;      ///< a node drains, is replaced, and joins anew; only with leases
  double clogs = 0;
  nanos clog_mean = 10 * second;
  double output_fillings = 0;  ///< a node's output has no room, as on a full disk
  double output_outages = 0;   ///< it is down: nothing becomes durable
  double agent_pauses = 0;
  double guest_pauses = 0;
  double node_pauses = 0;
  nanos pause_mean = 20 * second;
  nanos pause_most = 600 * second;
  std::uint32_t crash_steps =
      0;  ///< crashes come up to so many messages late, in the midst of what is handled
  double clock_changes = 0;
  double wall_steps = 0;
  double settings_changes = 0;  ///< nodes want something else of their agents
  stalls slow;
  chosen_events only;
};

/// What the baselines are told of the churn, and when.
struct baseline_options {
  nanos delay = 60 * second;  ///< mean, of an address-change event
  double loss = 0.01;         ///< of events
  nanos hold = 900 * second;  ///< of the `events` baseline
  nanos lag = 5 * second;     ///< after a flow's end, when `current-owner` looks
};

/// Everything that a run is made from, besides its seed.
struct scenario {
  std::string name = "default";
  fleet_options fleet;
  traffic_options traffic;
  cluster_options cluster;
  network_conditions network;
  fault_options faults;
  baseline_options baselines;
  nanos grid = 1;                   ///< all waits end on multiples of it: a coarse one makes stamps collide
  std::uint32_t evidence_kept = 1;  ///< one address in so many is remembered for I3 and I4
  nanos horizon = 300 * second;     ///< churn, traffic and faults go on for so long
  nanos cooldown =
      120 * second;  ///< then all is quiet, and what is held drains; at least the hold and a minute
};

}  // namespace tenure::sim
