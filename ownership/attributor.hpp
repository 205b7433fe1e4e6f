#pragma once

#include <cstdint>

#include "ownership/flow.hpp"
#include "ownership/prefix.hpp"
#include "ownership/timelines.hpp"
#include "ownership/verdict.hpp"

namespace tenure {

/// Why an address can be nobody's in the fleet: `external` outside the routable CIDRs, `local` for a
/// host-local address, otherwise none. Evidence about such an address is refused, since the same address is
/// held by many.
reason unroutable(const prefix_set& routable, address a);

/// Timelines behind the routable CIDRs: who held the far end, or the first reason in DESIGN's order why that
/// is not known. One thread at a time. Virtual, so that whoever watches or replaces the judge of a shard (the
/// simulator's oracle) derives from it.
class attributor {
 public:
  explicit attributor(prefix_set routable) : routable_(std::move(routable)) {}
  virtual ~attributor() = default;

  using merged = tenure::merged;
  /// What is not merged is for the caller to count.
  virtual merged merge(const evidence& e);

  virtual verdict attribute(address far, std::uint16_t far_port, const flow_times& times) const;

  const prefix_set& routable() const { return routable_; }
  const tenure::timelines& timelines() const { return timelines_; }

 private:
  prefix_set routable_;
  tenure::timelines timelines_;
};

}  // namespace tenure
