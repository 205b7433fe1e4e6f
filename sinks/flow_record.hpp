#pragma once

#include <string_view>

#include "ownership/flow.hpp"
#include "ownership/verdict.hpp"
#include "ownership/workload_table.hpp"

namespace tenure::sinks {

/// A flow with the answer about its far end, as it reaches a sink. Names are of the node's workload table;
/// the agent's name and the region outlive the record.
struct flow_record {
  tenure::flow flow;  ///< stamps of cluster time
  tenure::verdict far;
  std::string_view agent;
};

/// What a sink needs to know besides the records themselves.
struct record_context {
  const workload_table& workloads;
  std::string_view region;
  /// Add to a stamp of cluster time to have UTC, nanoseconds since 1970.
  nanos to_utc = 0;
};

}  // namespace tenure::sinks
