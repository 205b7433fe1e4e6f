#pragma once

#include <cstddef>
#include <cstdint>
#include <map>

#include "ownership/time.hpp"

namespace tenure::actors {

/// How much of what all agents share one agent may fill.
struct share_bounds {
  std::size_t tenancies = 200'000;  ///< different ones in each span
  std::size_t workloads = 20'000;   ///< names that nobody else brought before
  nanos span = 24 * hour;           ///< as long as tenancies are remembered
};

/// What one agent has filled of it. Sequences of tenancies are kept as ranges: honest agents count them up,
/// so they take a few; whoever makes them up fills no more than his bound.
class agent_share {
 public:
  explicit agent_share(const share_bounds& bounds) : bounds_(bounds) {}
  agent_share(const agent_share&) = delete;
  agent_share& operator=(const agent_share&) = delete;

  /// Whether evidence of its tenancy with this sequence may be taken.
  bool admits_tenancy(std::uint64_t sequence, nanos now);
  /// Whether it may bring another name; counts it, if so.
  bool admits_workload();

  std::size_t ranges() const { return ranges_.size(); }

 private:
  share_bounds bounds_;
  using range_map = std::map<std::uint64_t, std::uint64_t>;  // first -> last
  range_map ranges_;
  range_map::iterator next_ = ranges_.end();  // a heartbeat names tenancies in order
  std::size_t tenancies_ = 0;                 // in them
  nanos since_ = time_min;
  std::size_t workloads_ = 0;
};

}  // namespace tenure::actors
