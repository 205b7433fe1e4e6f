#include "sim/report_json.hpp"

#include <nlohmann/json.hpp>

#include "ownership/hexadecimal.hpp"

namespace tenure::sim {

void report_sum::add(const report& r) {
  if (runs == 0) {
    scenario = r.scenario;
    seed = r.seed;
  }
  ++runs;
  auto& t = total.answers;
  t.flows += r.answers.flows;
  t.attributed += r.answers.attributed;
  t.misattributed += r.answers.misattributed;
  t.dependencies += r.answers.dependencies;
  t.false_dependencies += r.answers.false_dependencies;
  t.repeats += r.answers.repeats;
  for (const auto& [why, n] : r.answers.unattributed) t.unattributed[why] += n;
  for (const auto& [name, b] : r.baselines) {
    auto& sum = total.baselines[name];
    sum.flows += b.flows;
    sum.attributed += b.attributed;
    sum.misattributed += b.misattributed;
    sum.dependencies += b.dependencies;
    sum.false_dependencies += b.false_dependencies;
  }
  total.faults += r.faults;
  total.violation_count += r.violation_count;
  // One run's hash is its own; that of several depends on their order too.
  total.hash = runs == 1 ? r.hash : (total.hash ^ r.hash) * 0x9e37'79b9'7f4a'7c15ULL;
  total.virtual_seconds += r.virtual_seconds;
  total.instance_seconds += r.instance_seconds;
  total.cpu_seconds += r.cpu_seconds;
  total.messages += r.messages;
  total.events += r.events;
  total.frames += r.frames;
  total.instances += r.instances;
  if (r.violation_count > 0) failed_seeds.push_back(r.seed);
}

std::string to_json(const report_sum& sum) {
  const auto& t = sum.total.answers;
  nlohmann::json baselines = nlohmann::json::object();
  for (const auto& [name, b] : sum.total.baselines)
    baselines[name] = {{"flows", b.flows},
                       {"attributed", b.attributed},
                       {"unattributed", b.flows - b.attributed},
                       {"misattributed", b.misattributed},
                       {"dependencies", {{"reported", b.dependencies}, {"false", b.false_dependencies}}}};
  nlohmann::json faults = nlohmann::json::object();
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    const auto kind = static_cast<fault>(i);
    faults[std::string{to_string(kind)}] = sum.total.faults[kind];
  }
  const nlohmann::json all = {
      {"scenario", sum.scenario},
      {"engine", engine},
      {"seed", sum.seed},
      {"runs", sum.runs},
      {"flows", t.flows},
      {"attributed", t.attributed},
      {"unattributed", t.unattributed},
      {"misattributed", t.misattributed},
      {"dependencies", {{"reported", t.dependencies}, {"false", t.false_dependencies}}},
      {"baselines", baselines},
      {"faults", faults},
      {"violations", sum.total.violation_count},
      {"failed_seeds", sum.failed_seeds},
      {"repeats", t.repeats},
      {"hash", hexadecimal(sum.total.hash)},
      {"virtual_seconds", sum.total.virtual_seconds},
      {"cpu_seconds", sum.total.cpu_seconds},
      {"instance_seconds", sum.total.instance_seconds},
      {"instances", sum.total.instances},
      {"events", sum.total.events},
      {"messages", sum.total.messages},
      {"frames", sum.total.frames}};
  return all.dump() + "\n";
}

}  // namespace tenure::sim
