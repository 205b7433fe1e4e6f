#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"
#include "ownership/verdict.hpp"

namespace tenure {

/// Whoever answers who held an address: what the properties are tried on. Derive from it to try your own.
class judge {
 public:
  virtual ~judge() = default;
  /// One piece of evidence; it comes in any order, and perhaps again.
  virtual void tell(const evidence& e) = 0;
  /// The far end of a flow, by all that was told until now. Where there is no answer, the verdict's workload
  /// is workload_id::none, and of its reason only `conflict` is looked at.
  virtual verdict ask(address far, std::uint16_t far_port, const flow_times& times) const = 0;
};

/// Makes a judge that was told nothing.
using judge_maker = std::function<std::unique_ptr<judge>()>;

/// Tenure's own.
judge_maker tenures_own();

}  // namespace tenure
