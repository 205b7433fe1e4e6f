#include "sim/report_text.hpp"

#include <nlohmann/json.hpp>

namespace tenure::sim {

// Found by nlohmann through the arguments' namespace; the macro names each member once for both ways.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(violation, invariant, time, what)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(tally, flows, attributed, misattributed, unattributed, dependencies,
                                   false_dependencies, repeats)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(baseline_result, flows, attributed, misattributed, dependencies,
                                   false_dependencies)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(proved_share, instances, held_seconds, proved_seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(measured_errors, evidence, evidence_seconds, flows, flow_seconds)

static void to_json(nlohmann::json& j, const fault_counts& c) {
  j = nlohmann::json::array();
  for (std::size_t i = 0; i < fault_kinds; ++i) j.push_back(c[static_cast<fault>(i)]);
}

static void from_json(const nlohmann::json& j, fault_counts& c) {
  for (std::size_t i = 0; i < fault_kinds; ++i) c.add(static_cast<fault>(i), j.at(i).get<std::uint64_t>());
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(report, scenario, seed, answers, baselines, also_judged, faults, proved,
                                   errors, violations, violation_count, hash, virtual_seconds,
                                   instance_seconds, cpu_seconds, messages, frames, events, troubles,
                                   attempts, instances)

std::string to_text(const report& r) {
  // Not JSON's text: what a violation says may hold bytes that are no UTF-8.
  const auto bytes = nlohmann::json::to_cbor(nlohmann::json(r));
  return {bytes.begin(), bytes.end()};
}

report report_from(std::string_view text) {
  return nlohmann::json::from_cbor(text).get<report>();
}

}  // namespace tenure::sim
