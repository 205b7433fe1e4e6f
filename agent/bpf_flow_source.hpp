#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/flow_source.hpp"
#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::agent {

struct bpf_options {
  /// Where the identity maps are pinned, a folder on a bpf file system; empty: none are shared, no socket is
  /// stamped.
  std::string pin = "/sys/fs/bpf/tenure";
  /// A segment that TCP accepted was sent at most this long before; four smoothed round trips where that is
  /// more.
  nanos transit_floor = 200 * millisecond;
  /// The ring between kernel and agent; a power of two, at least one page. An event takes about 250 bytes,
  /// and the ring counts twice towards the memory that is resident, being mapped twice.
  std::size_t ring_bytes = std::size_t{2} << 20;
  /// A connection that has been open for so long is reported in parts, one for each such time in which
  /// segments passed; 0: only when it ends.
  nanos active_timeout = 60 * second;
  /// Called from the source's thread when a listener or a cgroup came or went, or a process entered one; it
  /// must not block. Empty: nobody asks.
  std::function<void()> host_changed;
  /// Whether connects are watched, so that what was dialled is known where it was replaced before the SYN.
  bool watch_connects = false;
  /// Whether UDP flows are reported, too, for which every packet of this host runs through a program.
  bool watch_datagrams = false;
  /// A UDP flow in which nothing has passed for so long has ended.
  nanos idle_timeout = 15 * second;
  /// How many UDP flows there may be at once; what comes beyond is counted.
  std::uint32_t most_datagram_flows = 65536;
  /// Whether the programs go on at the end, too, for the next agent to take over what they see; they go on in
  /// any case when this process is killed. What is open then is not told as cut off. Needs `pin`.
  bool leave_programs = false;
  /// Every event is written to this file too; empty: to none.
  std::string record;
  /// How often the ring is emptied when it is not filling up.
  nanos poll_interval = 50 * millisecond;
  /// How many flows are handed over at once, at the most.
  std::size_t deliver_at_most = 1024;
};

/// The kernel's TCP and, where asked for, UDP sockets as a source of flows. Opens and loads the programs
/// here, attaches them in `start`, which also marks the sockets that are open already, in every network
/// namespace of this host. Each step fails as trouble::refused with one line: what is missing (root, BTF, a
/// bpf file system) and what works without.
/// @pre for stamped sockets: `make_identity_maps` was called for the same pin before.
outcome<std::unique_ptr<flow_source>> make_bpf_flow_source(const bpf_options& options);

}  // namespace tenure::agent
