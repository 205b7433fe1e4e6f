#include <iostream>

#include <gtest/gtest.h>

#include "sim/world.hpp"
#include "tests/sim/expectations.hpp"

// Nodes that drain under load, one after the other, and come back.
namespace tenure::sim {
namespace {

/// Ends that no platform announces: what a timeline lacks is not told again.
scenario three_nodes(double leaves, std::uint32_t replicas) {
  scenario s;
  s.fleet.unseen_share = 1;
  s.fleet.withdrawn_share = 0;
  s.cluster.nodes = 3;
  s.cluster.replicas = replicas;
  s.cluster.leases = true;
  s.cluster.hold = 20 * second;
  s.cluster.view_delay = 100 * millisecond;
  s.faults.node_leaves = leaves;
  s.faults.pause_mean = 5 * second;
  s.faults.pause_most = 20 * second;
  s.horizon = 1'200 * second;
  return s;
}

double attributed_percent(const report& r) {
  double all = static_cast<double>(r.answers.attributed);
  for (const auto& [why, n] : r.answers.unattributed)
    if (why != "external" && why != "local") all += static_cast<double>(n);
  return 100 * static_cast<double>(r.answers.attributed) / all;
}

TEST(drain, of_nodes_under_load_hands_over_all_and_lowers_no_coverage) {
  for (const std::uint32_t replicas : {1, 2}) {
    const auto quiet = run(three_nodes(0, replicas), 1);
    const auto drained = run(three_nodes(30, replicas), 1);
    expect_no_violation(drained);
    EXPECT_GT(drained.faults[fault::node_drained], 5U);
    EXPECT_GT(drained.faults[fault::timeline_handed_over], 100U);
    EXPECT_EQ(drained.faults[fault::hand_over_abandoned], 0U);
    // The only holder of a prefix cannot tell all: what ended before the next one was there, it cannot place.
    const double less = replicas == 1 ? 2 : 0.5;
    EXPECT_GT(attributed_percent(drained), attributed_percent(quiet) - less) << replicas << " replicas";
    std::cout << replicas << " replicas: " << attributed_percent(quiet) << " % in quiet, "
              << attributed_percent(drained) << " % with drains\n";
  }
}

// Nothing but drains: no broken link has an agent send again what it was not to forget.
TEST(rebalance, agents_go_over_to_a_node_that_came_back_and_nothing_is_left_behind) {
  auto s = three_nodes(6, 2);
  s.fleet.hosts = 24;
  s.horizon = 1'800 * second;
  const auto r = run(s, 2);
  expect_no_violation(r);
  EXPECT_GT(r.faults[fault::node_drained], 0U);
  EXPECT_GT(r.faults[fault::agent_moved], 3U);
  EXPECT_EQ(r.flows_retained, 0U) << "what went to the first node is acknowledged from there";
  std::cout << r.faults[fault::agent_moved] << " moves after " << r.faults[fault::node_drained]
            << " drains\n";
}

}  // namespace
}  // namespace tenure::sim
