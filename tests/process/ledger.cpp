#include "tests/process/ledger.hpp"

#include <algorithm>
#include <regex>
#include <sstream>

#include "tests/process/child.hpp"

namespace tenure::testing {

double value_of(const std::string& text, const std::string& name) {
  return std::max(0.0, metric(text, name));
}

double unattributed_in(const std::string& text) {
  static const std::regex line(R"re(^tenure_node_flows_unattributed_total\{.*\} (\S+)$)re");
  std::istringstream lines(text);
  double sum = 0;
  std::smatch m;
  for (std::string one; std::getline(lines, one);)
    if (std::regex_match(one, m, line)) sum += std::stod(m[1]);
  return sum;
}

std::map<std::string, double> imbalances(const std::string& text) {
  std::map<std::string, double> sums;
  static const std::map<std::string, double> signs{{"received_total", 1},
                                                   {"repeated_total", -1},
                                                   {"attributed_total", -1},
                                                   {"unattributed_total", -1},
                                                   {"forwarded_total", -1},
                                                   {"dropped_total", -1},
                                                   {"held", -1}};
  static const std::regex line(
      R"re(^tenure_node_(agent_)?flows_([a-z_]+)(\{(agent|reason)="([^"]*)"\})? (\S+)$)re");
  std::istringstream lines(text);
  for (std::string one; std::getline(lines, one);) {
    std::smatch m;
    if (!std::regex_match(one, m, line)) continue;
    const auto sign = signs.find(m[2]);
    if (sign != signs.end()) sums[m[1].matched ? m[5].str() : ""] += sign->second * std::stod(m[6]);
  }
  return sums;
}

}  // namespace tenure::testing
