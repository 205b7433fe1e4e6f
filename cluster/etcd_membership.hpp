#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/etcd_client.hpp"
#include "cluster/membership.hpp"

namespace tenure::cluster {

struct etcd_options {
  /// "http://host:port" or "https://host:port", tried in turn.
  std::vector<std::string> endpoints;
  etcd_tls tls;
  /// Clusters of other names may use the same etcd.
  std::string cluster = "tenure";
  /// How long a node that fell silent still counts; etcd makes very short ones longer.
  std::chrono::seconds lease{5};
  /// Of each request.
  std::chrono::milliseconds request_bound{1'000};
  /// How often the lease is renewed and all members are read, changes or not: well below the lease.
  std::chrono::milliseconds pace{1'000};
};

struct etcd_counters {
  using counter = std::atomic<std::uint64_t>;
  counter views{0};                  ///< told to `changed`
  counter failures{0};               ///< rounds in which etcd could not be asked; the last view stays
  counter registrations{0};          ///< our key written: once, and after each loss of the lease
  counter entries_refused{0};        ///< keys that are no member's: counted each time they are read
  std::atomic<bool> reached{false};  ///< by the last round
};

/// Members that register themselves in etcd: a lease, a key for each node under it, and everybody watches. On
/// its own thread. A node that cannot reach etcd goes on with the last view that it had, for as long as that
/// takes; the others drop it when its lease is over, and have it back when it has come back.
class etcd_membership : public membership {
 public:
  /// @param self how we appear to the others; the incarnation is not 0
  static outcome<std::unique_ptr<etcd_membership>> make(const etcd_options& options, const member& self);
  virtual const etcd_counters& counters() const = 0;
};

}  // namespace tenure::cluster
