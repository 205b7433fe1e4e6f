#include <algorithm>
#include <iostream>

#include <gtest/gtest.h>

#include "sim/world.hpp"
#include "tests/sim/expectations.hpp"

// Outputs that take nothing for minutes: a full disk, and one that is down. Nothing is lost, agents wait for
// credit, what is held stays under its bound (looked at every second), and all of it is written afterwards.
namespace tenure::sim {
namespace {

scenario with_short_memory() {
  scenario s;
  s.traffic.connect_every = 2 * second;
  s.cluster.hold = 5 * second;
  s.cluster.heartbeat = 2 * second;
  s.cluster.held_memory = 512 << 10;
  s.faults.pause_mean = 4 * minute;
  s.horizon = 20 * minute;
  return s;
}

void expect_all_written(const report& r) {
  expect_no_violation(r);
  EXPECT_EQ(r.flows_retained, 0U) << "the backlog is drained";
  EXPECT_GT(r.answers.flows, 30'000U);
}

TEST(output, that_is_full_for_minutes_makes_agents_wait_and_loses_nothing) {
  auto s = with_short_memory();
  // Grants are small until much is held, so agents spend some now and then in any case.
  const auto undisturbed = run(s, 1).faults[fault::credit_spent];
  s.faults.output_fillings = 12;
  const auto r = run(s, 1);
  expect_all_written(r);
  EXPECT_GT(r.faults[fault::output_full], 0U);
  EXPECT_GT(r.faults[fault::output_waited_for], 0U);
  EXPECT_GT(r.faults[fault::credit_spent], undisturbed);
  std::cout << "credit spent " << undisturbed << " and " << r.faults[fault::credit_spent] << " times\n";
}

TEST(output, that_is_down_for_minutes_makes_agents_wait_and_loses_nothing) {
  auto s = with_short_memory();
  s.faults.output_outages = 12;
  const auto r = run(s, 1);
  expect_all_written(r);
  EXPECT_GT(r.faults[fault::output_down], 0U);
  EXPECT_GT(r.faults[fault::output_waited_for], 0U);
  EXPECT_GT(r.faults[fault::credit_spent], 0U);
}

TEST(output, that_is_down_while_nodes_die_and_leave_loses_nothing) {
  auto s = with_short_memory();
  s.cluster.nodes = 3;
  s.cluster.leases = true;
  s.cluster.release_early = true;
  s.faults.output_outages = 30;
  s.faults.output_fillings = 30;
  s.faults.node_crashes = 30;
  s.faults.node_leaves = 15;
  s.faults.pause_mean = minute;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) expect_all_written(run(s, seed));
}

}  // namespace
}  // namespace tenure::sim
