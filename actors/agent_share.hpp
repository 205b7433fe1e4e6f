#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "actors/shared_budget.hpp"
#include "ownership/endpoint.hpp"
#include "ownership/time.hpp"
#include "ownership/workload_table.hpp"

namespace tenure::actors {

/// How much of what all agents share one agent may fill.
struct share_bounds {
  std::size_t tenancies = 200'000;  ///< different ones in each span
  std::size_t workloads = 20'000;   ///< names that nobody else brought before
  nanos span = 24 * hour;           ///< as long as tenancies are remembered
  /// For what is kept of them, of all agents that are here or remembered: an honest tenancy takes some eight
  /// bytes, one that is made up 120. Where it is used up, nobody gets more than `agent_share::always`.
  std::shared_ptr<shared_budget> room = std::make_shared<shared_budget>(std::size_t{256} << 20);
  /// Drawn at random by the node, and known to no agent: what is kept of a tenancy's place cannot be guessed.
  std::uint64_t secret = 0;
};

enum class admitted : std::uint8_t {
  yes,
  over_bound,  ///< one more than it may bring, or than there is room for
  elsewhere,   ///< this tenancy was somebody's at another endpoint: each would take room of its own
};

/// What one agent has filled of it. Sequences of tenancies are kept as ranges: honest agents count them up,
/// so they take a few, and four bytes each; whoever makes them up fills no more than his bound, and his part
/// of the room that all share.
class agent_share {
 public:
  static constexpr std::int64_t always = 8 << 10;  ///< bytes: a thousand tenancies that were counted up

  explicit agent_share(const share_bounds& bounds) : bounds_(bounds) {}
  ~agent_share() { take(-mine_); }
  agent_share(const agent_share&) = delete;
  agent_share& operator=(const agent_share&) = delete;

  /// Whether evidence of its tenancy with this sequence, and there, may be taken.
  admitted admits_tenancy(std::uint64_t sequence, const endpoint& where, workload_id whose, nanos now);
  /// Whether it may bring another name; counts it, if so.
  bool admits_workload();

  std::size_t ranges() const { return ranges_.size(); }

 private:
  void take(std::int64_t bytes);

  share_bounds bounds_;
  std::int64_t mine_ = 0;  // of the room
  // First sequence -> a mark of the place of each from there on.
  using range_map = std::map<std::uint64_t, std::vector<std::uint32_t>>;
  range_map ranges_;
  range_map::iterator last_ = ranges_.end();  // the one asked for last: a heartbeat names tenancies in order
  std::size_t tenancies_ = 0;                 // in them
  nanos since_ = time_min;
  std::size_t workloads_ = 0;
};

}  // namespace tenure::actors
