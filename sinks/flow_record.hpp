#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "hold/packed_flow.hpp"
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

/// Rows of one batch with the answers about their far ends, in order.
struct record_rows {
  hold::row_base base;
  std::span<const std::byte> bytes;  ///< with hold::row_slack readable bytes behind them
  std::span<const verdict> answers;  ///< as many as there are rows
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
