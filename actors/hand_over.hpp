#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "actors/lot.hpp"
#include "capnp/messages.hpp"
#include "cluster/placement.hpp"
#include "ownership/time.hpp"
#include "ownership/timelines.hpp"
#include "ownership/workload_table.hpp"

/// Timelines on their way to a node that is to hold their prefixes from now on. Framework-free; one thread.
namespace tenure::actors {

/// Which points of the ring this node (0) has to hand over to another.
/// @param now by whom they are held; @param before the same before the ring moved last, null: never
/// @param given what that node has been given already was what it held then; null: nothing, it is new
/// One of those who held a point before sends it: the first that is warm, or at least there, those first that
/// hold it still. Nodes that see different rings may both send, or none of them: the one costs bytes, the
/// other coverage until the next heartbeats.
moving_points points_to_hand_over(const cluster::placement& now, const cluster::placement* before,
                                  const cluster::placement* given, cluster::placement::number to);

/// A shard's side: walks the timelines that move, a chunk at a time.
class timeline_walk {
 public:
  /// What one chunk has at most, but for the tenancies of its last address.
  static constexpr std::size_t most_evidence = 4'096;
  static constexpr std::size_t most_addresses = 16'384;

  timeline_walk() = default;
  timeline_walk(const timelines& known, const moving_points& points);

  /// The next ones, as evidence of what is sure: stamps of our cluster time, without an error of their own.
  std::vector<evidence> next(const timelines& known);
  bool over() const { return at_ == addresses_.size(); }

 private:
  std::vector<address> addresses_;
  std::size_t at_ = 0;
};

/// The sending peer actor's side: what is under way to the other node.
class hand_over {
 public:
  /// Looks whether there is something to hand over. @param incarnation of the other node, which has answered
  /// @returns a request for each shard; null: nothing to do
  std::shared_ptr<const moving_request> look(std::shared_ptr<const cluster::placement> now,
                                             cluster::placement::number to, std::uint64_t incarnation,
                                             std::size_t shards, nanos at);
  /// Whether that node has all that it is to have of ours by this placement; false: it will not have it.
  /// Nothing: that is still to come.
  std::optional<bool> through(const cluster::placement& now, cluster::placement::number to) const;
  /// It is given up: what was handed over up to now counts for nothing.
  void abandon();

  /// A shard's next chunk came. @returns the lots to be sent for it; of an earlier request none
  std::vector<wire::lot> take(const moving_chunk& chunk, const workload_table& workloads);
  /// One lot of this shard's chunk is settled. @returns whether the shard is to be asked for more
  bool settled(std::uint64_t request, std::uint32_t shard);

  bool under_way() const { return left_ > 0; }
  std::uint64_t request() const { return request_; }
  nanos began() const { return began_; }
  std::uint64_t abandoned() const { return abandoned_; }

 private:
  struct progress {
    std::size_t lots = 0;  ///< of the chunk that is under way
    bool last = false;
  };

  std::shared_ptr<const cluster::placement> now_;
  std::shared_ptr<const cluster::placement> before_;
  std::shared_ptr<const cluster::placement> given_;
  std::uint64_t given_incarnation_ = 0;
  moving_points points_;  ///< of the request that is under way
  std::uint64_t request_ = 0;
  std::vector<progress> shards_;
  std::size_t left_ = 0;  ///< shards that are not through
  nanos began_ = 0;
  std::uint64_t abandoned_ = 0;
};

}  // namespace tenure::actors
