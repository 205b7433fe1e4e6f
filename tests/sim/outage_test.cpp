#include <iostream>

#include <gtest/gtest.h>

#include "sim/world.hpp"
#include "tests/sim/expectations.hpp"

// No node for an hour: all of them are killed, and come back with nothing but their machines' clocks.
namespace tenure::sim {
namespace {

scenario killed_for(nanos away, std::uint32_t nodes) {
  scenario s;
  s.fleet.instances = 24;
  s.fleet.addresses = 32;
  s.fleet.lifetimes = {{0, minute}, {1, 30 * minute}};
  s.traffic.connect_every = 30 * second;
  s.cluster.nodes = nodes;
  // Each is away for half of the time.
  s.faults.node_crashes = 3600.0 * second / static_cast<double>(away) * nodes;
  s.faults.pause_mean = 1'000'000 * second;
  s.faults.pause_most = away;
  s.horizon = 3 * hour;
  return s;
}

double share_without_clock(const report& r) {
  const auto found = r.answers.unattributed.find("clock");
  const double lost = found == r.answers.unattributed.end() ? 0 : static_cast<double>(found->second);
  double all = static_cast<double>(r.answers.attributed);
  for (const auto& [why, n] : r.answers.unattributed) all += static_cast<double>(n);
  return lost / all;
}

TEST(outage, of_the_only_node_for_an_hour_leaves_next_to_nothing_without_a_clock) {
  std::uint64_t killed = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto r = run(killed_for(hour, 1), seed);
    expect_no_violation(r);
    killed += r.faults[fault::node_crash];
    EXPECT_GT(r.answers.attributed, 3'000U);
    EXPECT_LT(share_without_clock(r), 0.02);
    std::cout << "seed " << seed << ": killed " << r.faults[fault::node_crash] << " times, "
              << r.answers.attributed << " attributed, " << 100 * share_without_clock(r)
              << " % without a clock\n";
  }
  EXPECT_GT(killed, 0U);
}

}  // namespace
}  // namespace tenure::sim
