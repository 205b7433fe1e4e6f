#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/ring.hpp"
#include "ownership/outcome.hpp"

namespace tenure::cluster {

/// A node as others find it.
struct member {
  std::string name;
  std::string address;            ///< "host:port" where it listens for other nodes
  std::uint32_t weight = 1;       ///< 1 to ring::max_weight
  std::uint64_t incarnation = 0;  ///< drawn anew by each start; 0: not known

  auto operator<=>(const member&) const = default;
};

/// Who is there. Nodes may have different views for a while: that costs coverage and never correctness.
struct membership_view {
  std::uint64_t epoch = 0;      ///< grows from view to view
  std::vector<member> members;  ///< by name
};

/// The ring of a view.
outcome<ring> ring_of(const membership_view& view, std::size_t replicas);

/// What becomes of a membership. Called from a thread of its own, or from start().
struct membership_events {
  std::function<void(const membership_view&)> changed;
  /// It cannot go on, for this reason; nothing more is called. What was last told stays as true as it was.
  std::function<void(const failure&)> failed;
};

/// Says who is in the cluster.
class membership {
 public:
  virtual ~membership() = default;
  /// Once.
  virtual void start(membership_events events) = 0;
  /// Takes ourselves out, so that the others stop to count on us; we go on hearing of changes. Waits within a
  /// bound. @returns trouble::refused when that could not be said: the others find out by our silence.
  virtual outcome<void> leave() = 0;
  /// Afterwards nothing is called any more. Not from within an event.
  virtual void stop() = 0;
};

/// One that never changes: the list of the configuration, or ourselves alone.
/// @returns trouble::usage when no ring can be made of it.
outcome<std::unique_ptr<membership>> make_static_membership(std::vector<member> members);

}  // namespace tenure::cluster
