#pragma once

#include <cstdint>
#include <string_view>

#include "ownership/tenancy.hpp"

namespace tenure {

/// What an attribution rests on. `paired` is reserved: the schema carries what it needs.
enum class basis : std::uint8_t { none, tenancy, event, label, paired };

/// Why a far end is unattributed; the first that matches, in this order.
enum class reason : std::uint8_t {
  none,          ///< it is attributed
  conflict,      ///< two workloads qualify: an assumption is broken somewhere
  external,      ///< outside the routable CIDRs, and not labelled
  local,         ///< a host-local address, which repeats from host to host
  no_evidence,   ///< nothing was ever heard about this endpoint
  clock,         ///< smaller clock errors would have covered it
  before_first,  ///< it begins before the first evidence
  after_last,    ///< it ends after the last evidence
  between,       ///< it falls into a gap
};

std::string_view to_string(basis b);
std::string_view to_string(reason r);

/// The answer of the rule: a workload with the tenancy that proves it, or the reason why there is none.
struct verdict {
  tenancy_id tenancy;
  workload_id workload = workload_id::none;
  tenure::basis basis = basis::none;
  tenure::reason reason = reason::no_evidence;

  constexpr verdict() = default;
  constexpr verdict(workload_id who, const tenancy_id& proof, tenure::basis on, tenure::reason why)
      : tenancy(proof), workload(who), basis(on), reason(why) {}
  bool attributed() const { return workload != workload_id::none; }
  friend bool operator==(const verdict&, const verdict&) = default;
};
static_assert(sizeof(verdict) == 24, "a node writes and reads one for each flow");

constexpr verdict unattributed(reason why) {
  return {workload_id::none, {}, basis::none, why};
}

}  // namespace tenure
