#include "actors/allow_rules.hpp"

#include <algorithm>
#include <utility>

namespace tenure::actors {
namespace {

bool names(const std::string& pattern, std::string_view workload) {
  if (!pattern.ends_with('*')) return pattern == workload;
  return workload.starts_with(std::string_view{pattern}.substr(0, pattern.size() - 1));
}

}  // namespace

permit::permit(std::shared_ptr<const allow_rules> rules, std::string_view identity) {
  if (!rules || rules->empty()) return;
  rules_ = std::move(rules);
  if (identity.empty()) return;
  for (const auto& rule : *rules_)
    if (rule.agent.matches(identity)) matching_.push_back(&rule);
}

permit::reach permit::reach_of(std::string_view workload) const {
  reach where;
  for (const auto* rule : matching_)
    if (std::any_of(rule->workloads.begin(), rule->workloads.end(),
                    [workload](const auto& pattern) { return names(pattern, workload); }))
      where.push_back(&rule->addresses);
  return where;
}

bool contains(const permit::reach& where, const address& a) {
  return std::any_of(where.begin(), where.end(), [&a](const auto* set) { return set->contains(a); });
}

}  // namespace tenure::actors
