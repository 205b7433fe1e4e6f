#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actors/allow_rules.hpp"
#include "cli/option_value.hpp"

namespace tenure::cli {

/// "agent=spiffe://prod/tenure/agent/* addresses=10.0.0.0/16 workloads=checkout workloads=cart-*": one agent,
/// one or more of the others. A table of a TOML file is read as such.
template <>
struct option_value<actors::allow_rule> {
  static constexpr const char* name = "RULE";
  static constexpr const char* expected =
      "agent=SPIFFE-ID, addresses=CIDR and workloads=NAME, the last two once or more";
  static std::optional<actors::allow_rule> parse(std::string_view text);
};

}  // namespace tenure::cli
