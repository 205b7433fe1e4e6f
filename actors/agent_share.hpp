#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "ownership/endpoint.hpp"
#include "ownership/time.hpp"
#include "ownership/workload_table.hpp"

namespace tenure::actors {

/// How much of what all agents share one agent may fill.
struct share_bounds {
  std::size_t tenancies = 200'000;  ///< different ones in each span
  std::size_t workloads = 20'000;   ///< names that nobody else brought before
  nanos span = 24 * hour;           ///< as long as tenancies are remembered
  /// Drawn at random by the node, and known to no agent: what is kept of a tenancy's place cannot be guessed.
  std::uint64_t secret = 0;
};

enum class admitted : std::uint8_t {
  yes,
  over_bound,  ///< one more than it may bring
  elsewhere,   ///< this tenancy was somebody's at another endpoint: each would take room of its own
};

/// What one agent has filled of it. Sequences of tenancies are kept as ranges: honest agents count them up,
/// so they take a few, and four bytes each; whoever makes them up fills no more than his bound.
class agent_share {
 public:
  explicit agent_share(const share_bounds& bounds) : bounds_(bounds) {}
  agent_share(const agent_share&) = delete;
  agent_share& operator=(const agent_share&) = delete;

  /// Whether evidence of its tenancy with this sequence, and there, may be taken.
  admitted admits_tenancy(std::uint64_t sequence, const endpoint& where, workload_id whose, nanos now);
  /// Whether it may bring another name; counts it, if so.
  bool admits_workload();

  std::size_t ranges() const { return ranges_.size(); }

 private:
  share_bounds bounds_;
  // First sequence -> a mark of the place of each from there on.
  using range_map = std::map<std::uint64_t, std::vector<std::uint32_t>>;
  range_map ranges_;
  range_map::iterator last_ = ranges_.end();  // the one asked for last: a heartbeat names tenancies in order
  std::size_t tenancies_ = 0;                 // in them
  nanos since_ = time_min;
  std::size_t workloads_ = 0;
};

}  // namespace tenure::actors
