#pragma once

#include <cstddef>
#include <unordered_map>

#include "ownership/flow.hpp"
#include "ownership/timeline.hpp"
#include "ownership/verdict.hpp"

namespace tenure {

/// The timelines of many endpoints, and the rule over them. One thread at a time.
class timelines {
 public:
  /// @returns whether anything changed.
  bool merge(const evidence& e);

  /// Judges a flow's far end by the tenancies of its port and of its whole address, together.
  verdict resolve(address far, std::uint16_t far_port, const flow_times& times) const;

  const timeline* find(const endpoint& e) const;
  std::size_t size() const { return by_endpoint_.size(); }

 private:
  std::unordered_map<endpoint, timeline> by_endpoint_;
};

}  // namespace tenure
