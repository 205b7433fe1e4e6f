#pragma once

#include "ownership/tenancy.hpp"
#include "ownership/time.hpp"

namespace tenure {

/// What follows from several sure hulls that begin early enough, or from those that qualify: which reaches
/// furthest, and how far the others' reach that are of another workload. Adding is commutative, associative
/// and idempotent in all that an answer depends on.
struct leading {
  nanos until = time_min;  ///< of the one that reaches furthest; of equals the smallest tenancy
  tenancy_id tenancy;
  workload_id workload = workload_id::none;  ///< none: there is no hull
  workload_id other = workload_id::none;     ///< the one that reaches furthest of all others
  nanos other_until = time_min;

  constexpr void add(nanos hull_until, const tenancy_id& whose, workload_id of) {
    if (of == workload) {
      if (hull_until > until || (hull_until == until && whose < tenancy)) {
        until = hull_until;
        tenancy = whose;
      }
    } else if (workload == workload_id::none || hull_until > until) {
      other = workload;
      other_until = until;
      until = hull_until;
      tenancy = whose;
      workload = of;
    } else {
      add_other(hull_until, of);
    }
  }
  constexpr void add(const leading& more) {
    if (more.workload == workload_id::none) return;
    add(more.until, more.tenancy, more.workload);
    // It reaches no further than the first of `more`, so it does not lead.
    if (more.other != workload && more.other != workload_id::none) add_other(more.other_until, more.other);
  }

  friend bool operator==(const leading&, const leading&) = default;

 private:
  constexpr void add_other(nanos hull_until, workload_id of) {
    if (other != workload_id::none && hull_until <= other_until) return;
    other = of;
    other_until = hull_until;
  }
};

/// The same where only the reach counts.
struct furthest {
  nanos until = time_min;

  constexpr void add(const furthest& more) { until = until > more.until ? until : more.until; }
  friend bool operator==(const furthest&, const furthest&) = default;
};

}  // namespace tenure
