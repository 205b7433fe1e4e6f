#pragma once

#include <map>

#include "ownership/attributor.hpp"

namespace tenure::sim {

/// The rule with one mistake in it, as somebody might make it.
enum class mistake {
  none,
  non_strict_end,        ///< a hull still holds at its `until`
  hull_by_name,          ///< tenancies of one workload on one address are joined
  until_error_ignored,   ///< of evidence
  from_error_ignored,    ///< of evidence
  window_error_ignored,  ///< of a flow, at the window's end
  port_before_address,   ///< the address is asked only when nothing is known of the port
};

/// A shard's judge that makes a mistake.
class planted_judge final : public attributor {
 public:
  planted_judge(const prefix_set& routable, mistake which) : attributor(routable), which_(which) {}

  merged merge(const evidence& e) override;
  verdict attribute(address far, std::uint16_t far_port, const flow_times& times) const override;
  void merge_all(std::span<const evidence> all, std::span<merged> results) override;
  void attribute_all(std::span<const question> questions, std::span<verdict> verdicts) const override;

 private:
  bool qualifies(const interval& hull, const flow_times& times) const;
  std::vector<holding> candidates(address far, std::uint16_t far_port) const;

  mistake which_;
  std::map<std::pair<endpoint, workload_id>, holding> by_name_;
};

}  // namespace tenure::sim
