#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "agent/observed_flow.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// What a source counted since it started.
struct source_counters {
  std::uint64_t events = 0;               ///< connections that ended, as the kernel reported them
  std::uint64_t events_lost = 0;          ///< the ring buffer was full
  std::uint64_t runs_missed = 0;          ///< a socket changed its state and the kernel program was left out
  std::uint64_t sockets_untracked = 0;    ///< the kernel had no memory to follow a socket
  std::uint64_t sockets_crowded_out = 0;  ///< short-lived sockets beyond those that there is cheap room for
  std::uint64_t loopback_left_out = 0;    ///< both ends in one network namespace
  std::uint64_t datagrams_untracked = 0;  ///< there was no room for their flow, or they could not be read
  std::uint64_t datagrams_left_out = 0;   ///< both ends in one network namespace
  std::uint64_t taken_over = 0;           ///< of `events`, those that no agent ran to read
  std::uint64_t seen_twice = 0;           ///< of `events`, those of which the programs of two agents told
  std::uint64_t translated = 0;           ///< flows of which connection tracking told another endpoint
  std::uint64_t translated_late = 0;      ///< flows that came too late to ask connection tracking
  std::uint64_t looks_failed = 0;         ///< at who uses this host's endpoints: nothing was proved
  std::uint64_t assignments_unkept = 0;   ///< changes that a restart would not know, for lack of a disk
};

/// Where flows come from: the kernel in production, a script in tests and in the simulator.
class flow_source {
 public:
  virtual ~flow_source() = default;
  /// @param deliver is called from the source's thread, with at least one flow; it must not block for long.
  virtual outcome<void> start(std::function<void(std::vector<observed_flow>)> deliver) = 0;
  /// Delivers what the kernel has already written, then nothing any more.
  virtual void stop() = 0;
  /// Any thread: from now on connections that have been open for `active` are reported in parts (0: none),
  /// and UDP flows end in which nothing has passed for `idle`.
  virtual void set_timeouts(nanos /*active*/, nanos /*idle*/) {}
  /// Any thread.
  virtual source_counters counters() const = 0;
};

}  // namespace tenure::agent
