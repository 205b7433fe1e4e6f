#pragma once

#include "ownership/time.hpp"

namespace tenure::actors {

/// A node's clocks. Any thread. The mains hand in the real ones, tests and the simulator their own.
class node_clock {
 public:
  virtual ~node_clock() = default;
  /// Cluster time on this node: its boot-time clock.
  virtual nanos now() const = 0;
  /// UTC minus cluster time, now: only for writing records, never for judging.
  virtual nanos to_utc() const = 0;
  /// CPU time of the calling thread, to tell what takes it; 0 where nobody measures.
  virtual nanos thread_cpu() const { return 0; }
};

}  // namespace tenure::actors
