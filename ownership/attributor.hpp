#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

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
  /// @param most_bytes as of `timelines`
  explicit attributor(prefix_set routable, std::size_t most_bytes = SIZE_MAX)
      : routable_(std::move(routable)), timelines_(most_bytes) {}
  virtual ~attributor() = default;

  using merged = tenure::merged;
  /// What is not merged is for the caller to count.
  virtual merged merge(const evidence& e);
  virtual verdict attribute(address far, std::uint16_t far_port, const flow_times& times) const;

  /// The same for many, at a fraction of the time when addresses are far apart. Who overrides one of the two
  /// above overrides these too. @pre both spans are of one size
  virtual void merge_all(std::span<const evidence> all, std::span<merged> results);
  virtual void attribute_all(std::span<const question> questions, std::span<verdict> verdicts) const;

  /// As of `timelines`.
  virtual std::size_t forget_before(nanos cutoff) { return timelines_.forget_before(cutoff); }

  const prefix_set& routable() const { return routable_; }
  virtual const tenure::timelines& timelines() const { return timelines_; }

 private:
  prefix_set routable_;
  tenure::timelines timelines_;
};

}  // namespace tenure
