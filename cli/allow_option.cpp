#include "cli/allow_option.hpp"

#include <sstream>
#include <utility>
#include <vector>

namespace tenure::cli {

std::optional<actors::allow_rule> option_value<actors::allow_rule>::parse(std::string_view text) {
  std::optional<transport::spiffe_pattern> agent;
  std::vector<prefix> addresses;
  actors::allow_rule rule;
  std::istringstream words{std::string(text)};
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) return std::nullopt;
    const std::string key = word.substr(0, equals);
    const std::string value = word.substr(equals + 1);
    if (key == "agent" && !agent) {
      auto pattern = transport::spiffe_pattern::parse(value);
      if (!pattern) return std::nullopt;
      agent = std::move(*pattern);
    } else if (key == "addresses") {
      const auto cidr = prefix::parse(value);
      if (!cidr) return std::nullopt;
      addresses.push_back(*cidr);
    } else if (key == "workloads" && !value.empty()) {
      rule.workloads.push_back(value);
    } else {
      return std::nullopt;
    }
  }
  if (!agent || addresses.empty() || rule.workloads.empty()) return std::nullopt;
  rule.agent = std::move(*agent);
  rule.addresses = prefix_set{std::move(addresses)};
  return rule;
}

}  // namespace tenure::cli
