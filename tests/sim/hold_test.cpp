#include <algorithm>

#include <gtest/gtest.h>

#include "sim/world.hpp"
#include "tests/sim/expectations.hpp"

// What waits, for how long, and how much of it.
namespace tenure::sim {
namespace {

scenario busy() {
  scenario s;
  s.traffic.connect_every = 2 * second;
  s.cluster.hold = 30 * second;
  s.horizon = 300 * second;
  return s;
}

TEST(hold, that_ends_early_answers_no_less) {
  const auto full = run(busy(), 1);
  EXPECT_EQ(full.faults[fault::released_early], 0U);
  auto s = busy();
  s.cluster.release_early = true;
  const auto early = run(s, 1);
  expect_no_violation(early);
  EXPECT_GT(early.faults[fault::released_early], early.answers.attributed / 2);
  EXPECT_GE(early.answers.attributed, full.answers.attributed);
}

TEST(hold, that_may_be_prolonged_answers_more) {
  auto s = busy();
  s.cluster.hold = 3 * second;  // less than a heartbeat
  const auto brief = run(s, 1);
  EXPECT_EQ(brief.faults[fault::hold_prolonged], 0U);
  s.cluster.hold_longest = 30 * second;
  const auto longer = run(s, 1);
  expect_no_violation(longer);
  EXPECT_GT(longer.faults[fault::hold_prolonged], 100U);
  EXPECT_GT(longer.answers.attributed, brief.answers.attributed * 5 / 4);
}

scenario short_of_memory() {
  auto s = busy();
  s.cluster.held_memory = 64 << 10;
  return s;
}

TEST(credit, lets_agents_wait_and_loses_nothing) {
  const auto r = run(short_of_memory(), 1);
  expect_no_violation(r);
  EXPECT_GT(r.faults[fault::credit_spent], 10U);
  EXPECT_EQ(run(busy(), 1).faults[fault::credit_spent], 0U);
  EXPECT_GT(r.answers.flows, 10'000U);
}

// That what is held stays under the grant is looked at every second; here it does not.
TEST(negative_control, credit_without_end) {
  plants p;
  p.credit_ignored = true;
  auto s = short_of_memory();
  s.cluster.hold = 2 * minute;  // so that much is held
  const auto r = run(s, 1, p);
  EXPECT_TRUE(std::ranges::any_of(r.violations, [](const auto& v) { return v.invariant == "I7"; }));
}

}  // namespace
}  // namespace tenure::sim
