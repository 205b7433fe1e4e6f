#pragma once

#include "ownership/endpoint.hpp"
#include "ownership/tenancy.hpp"
#include "ownership/time.hpp"

namespace tenure {

/// An agent's statement: the tenancy held its endpoint throughout [from, until), and `until` is when that was
/// last verified. Each end may be off by its own clock error, which is never negative.
struct evidence {
  tenure::endpoint endpoint;
  tenancy_id tenancy;
  workload_id workload = workload_id::none;
  nanos from = 0;
  nanos until = 0;
  nanos from_error = 0;
  nanos until_error = 0;

  /// What is sure whatever the clocks did: [from + from_error, until - until_error), often empty. Its start
  /// is never time_min, so that a flow's bound which saturated there is contained in nothing.
  interval core() const;

  /// What was said, errors aside: [from, until), and like the core never from time_min. Empty when `until` is
  /// not after `from`: such evidence says nothing.
  interval said() const;
};

}  // namespace tenure
