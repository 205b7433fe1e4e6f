#pragma once

#include <optional>
#include <vector>

#include "ownership/attributor.hpp"
#include "ownership/need.hpp"

namespace tenure {

/// One tenancy that could have answered, and what the rule made of it.
struct considered {
  tenure::endpoint endpoint;
  tenure::holding holding;
  bool qualifies = false;
  /// An instant that the flow asks about at which the tenancy surely held the endpoint; the first one.
  std::optional<nanos> instant;
};

/// The proof behind a verdict, or what it lacks, so that a doubter can check it by hand.
struct explanation {
  verdict answer;
  flow_times times;
  /// What the flow asks about; nothing where its address is nobody's, or its clock has no bound.
  std::optional<need> asked;
  /// The one that the answer names first, then others that qualify, then the nearer ones.
  std::vector<considered> all;
};

/// Explains what `who.attribute` answers, by looking at everything that is known of the endpoint.
explanation explain(const attributor& who, address far, std::uint16_t far_port, const flow_times& times);

}  // namespace tenure
