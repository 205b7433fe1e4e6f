#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "ownership/evidence.hpp"

namespace tenure {

/// What is known of one tenancy: the hull of its cores, and the hull of what was said before errors were
/// taken off (which tells `clock` from the other reasons and is used for nothing else).
struct holding {
  tenancy_id tenancy;
  workload_id workload = workload_id::none;
  interval sure;
  interval said;

  friend bool operator==(const holding&, const holding&) = default;
};

/// Per endpoint, the tenancies that held it. Merging is commutative, associative and idempotent (a
/// join-semilattice: hulls only grow), so evidence may come in any order, repeated, split or late.
/// One tenancy id stated with two workloads is kept as two holdings, never joined. Evidence whose core is
/// empty leaves an empty `sure`, which qualifies for nothing.
class timeline {
 public:
  /// @pre e.endpoint is this timeline's endpoint, and the errors are not negative.
  /// @returns whether anything changed; never for evidence whose `until` is not after its `from`, which says
  /// nothing.
  bool merge(const evidence& e);

  /// In the order of (tenancy, workload).
  std::span<const holding> holdings() const { return holdings_; }
  bool empty() const { return holdings_.empty(); }

 private:
  std::vector<holding> holdings_;
};

}  // namespace tenure
