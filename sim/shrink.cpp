#include "sim/shrink.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <sstream>
#include <vector>

#include <fmt/format.h>

#include "sim/scenario_file.hpp"

namespace tenure::sim {
namespace {

// What can go wrong, each of which a small case may do without.
constexpr std::array troubles = {"faults.agent_crashes",
                                 "faults.agent_upgrades",
                                 "faults.node_crashes",
                                 "faults.crash_steps",
                                 "faults.link_cuts",
                                 "faults.partitions",
                                 "faults.clogs",
                                 "faults.agent_pauses",
                                 "faults.guest_pauses",
                                 "faults.node_pauses",
                                 "faults.clock_changes",
                                 "faults.wall_steps",
                                 "faults.settings_changes",
                                 "cluster.shed_waiting",
                                 "cluster.compress",
                                 "faults.stall_chance",
                                 "network.loss",
                                 "network.unacknowledged",
                                 "network.refused",
                                 "network.older",
                                 "traffic.loss",
                                 "traffic.udp_share",
                                 "traffic.slow_share",
                                 "traffic.kept_share",
                                 "traffic.outside_share",
                                 "traffic.stale_share",
                                 "traffic.challenge_share",
                                 "fleet.port_share",
                                 "fleet.unseen_share",
                                 "fleet.in_place_share",
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

/// Leaves out of `only` what the failure does not need: halves first, then ever smaller pieces (Zeller and
/// Hildebrandt's delta debugging, without its last refinements).
void leave_out(chosen_events& only, std::uint64_t count, const std::function<bool()>& still_fails) {
  const chosen_events all = only;
  std::vector<std::uint32_t> needed(count);
  std::iota(needed.begin(), needed.end(), 1U);
  const auto fails_with = [&](std::vector<std::uint32_t> rest) {
    only = std::move(rest);
    return still_fails();
  };
  for (std::size_t piece = std::max<std::size_t>(needed.size() / 2, 1); !needed.empty(); piece /= 2) {
    for (std::size_t at = 0; at < needed.size();) {
      auto rest = needed;
      const auto begin = rest.begin() + static_cast<std::ptrdiff_t>(at);
      const auto end = rest.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, rest.size()));
      rest.erase(begin, end);
      if (fails_with(rest))
        needed = std::move(rest);
      else
        at += piece;
    }
    if (piece == 1) break;
  }
  only = needed.size() == count ? all : chosen_events{needed};
}

}  // namespace

scenario shrink(scenario s, const trial& fails, int budget) {
  event_count last;
  const std::function<bool()> still_fails = [&] {
    const auto counted = budget-- > 0 ? fails(s) : std::nullopt;
    if (counted) last = *counted;
    return counted.has_value();
  };
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
  if (!still_fails()) return s;  // also counts what there is to leave out
  leave_out(s.faults.only, last.troubles, still_fails);
  leave_out(s.traffic.only, last.attempts, still_fails);
  return s;
}

std::string to_toml(const scenario& s, std::uint64_t seed, const std::vector<std::string>& words) {
  std::string text;
  for (const auto& said : words) {
    std::istringstream lines(said);
    for (std::string line; std::getline(lines, line);) text += fmt::format("# {}\n", line);
  }
  text += fmt::format("name = \"{}\"\nseed = {}\n", s.name, seed);
  for (const auto& [key, value] : all_options(s)) text += fmt::format("{} = \"{}\"\n", key, value);
  return text;
}

}  // namespace tenure::sim
