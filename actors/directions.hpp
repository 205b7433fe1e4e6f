#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "actors/protocol.hpp"
#include "cluster/placement.hpp"

namespace tenure::actors {

/// Which way things go now: the placement, and the peer actors by their numbers. Any thread.
class directions {
 public:
  /// Null: this node is alone, everything stays here.
  std::shared_ptr<const cluster::placement> now() const {
    const std::lock_guard lock{mutex_};
    return now_;
  }
  /// @pre a placement that was shown names it. Null for 0, which is this node, and at the end.
  peer_actor peer(cluster::placement::number n) const {
    const std::lock_guard lock{mutex_};
    return n == 0 || n > peers_.size() ? peer_actor{} : peers_[n - 1];
  }

  void show(std::shared_ptr<const cluster::placement> p) {
    const std::lock_guard lock{mutex_};
    now_ = std::move(p);
  }
  /// The next peer gets this number.
  cluster::placement::number next() const {
    const std::lock_guard lock{mutex_};
    return static_cast<cluster::placement::number>(peers_.size() + 1);
  }
  void add(peer_actor p) {
    const std::lock_guard lock{mutex_};
    peers_.push_back(std::move(p));
  }
  /// For the end: nobody refers to peers any more.
  std::vector<peer_actor> clear() {
    const std::lock_guard lock{mutex_};
    return std::exchange(peers_, {});
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const cluster::placement> now_;
  std::vector<peer_actor> peers_;
};

}  // namespace tenure::actors
