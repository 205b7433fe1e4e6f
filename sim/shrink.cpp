#include "sim/shrink.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sim/scenario_file.hpp"

namespace tenure::sim {
namespace {

// What can go wrong, each of which a small case may do without.
constexpr std::array troubles = {"faults.agent_crashes",
                                 "faults.node_crashes",
                                 "faults.link_cuts",
                                 "faults.partitions",
                                 "faults.clogs",
                                 "faults.agent_pauses",
                                 "faults.guest_pauses",
                                 "faults.node_pauses",
                                 "faults.clock_changes",
                                 "faults.wall_steps",
                                 "faults.stall_chance",
                                 "network.loss",
                                 "network.refused",
                                 "traffic.loss",
                                 "traffic.udp_share",
                                 "traffic.slow_share",
                                 "traffic.stale_share",
                                 "traffic.challenge_share",
                                 "fleet.port_share",
                                 "fleet.unseen_share",
                                 "fleet.repeat_share",
                                 "fleet.deploys_per_hour",
                                 "fleet.allocator_restarts_per_hour"};

/// Sizes that halve; a case with less of them is easier to read.
template <class T>
void halve(T& value, T least, const std::function<bool()>& still_fails) {
  while (value / 2 >= least) {
    const T before = value;
    value = value / 2;
    if (still_fails()) continue;
    value = before;
    return;
  }
}

}  // namespace

scenario shrink(scenario s, const std::function<bool(const scenario&)>& fails, int budget) {
  const std::function<bool()> still_fails = [&] { return budget-- > 0 && fails(s); };
  halve<nanos>(s.horizon, 5 * second, still_fails);
  for (const auto* key : troubles) {
    const scenario before = s;
    invariant(set_option(s, key, "0").has_value(), "the names above are options");
    if (!still_fails()) s = before;
  }
  halve<std::uint32_t>(s.fleet.instances, 1, still_fails);
  halve<std::uint32_t>(s.fleet.hosts, 1, still_fails);
  halve<std::uint32_t>(s.fleet.workloads, 1, still_fails);
  halve<std::uint32_t>(s.cluster.nodes, 1, still_fails);
  halve<nanos>(s.horizon, 5 * second, still_fails);
  return s;
}

std::string to_toml(const scenario& s, std::uint64_t seed) {
  std::string text = fmt::format("name = \"{}\"\nseed = {}\n", s.name, seed);
  for (const auto& [key, value] : all_options(s)) text += fmt::format("{} = \"{}\"\n", key, value);
  return text;
}

}  // namespace tenure::sim
