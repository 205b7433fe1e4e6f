#include <algorithm>

#include <gtest/gtest.h>

#include "tests/process/played_fleet.hpp"

// Over real connections: an agent with far more to say than its share leaves to others what is theirs.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

TEST(greedy_agent, waits_itself_and_makes_no_other_wait) {
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  // 80 bytes each: room for 50,000 flows that are held, of which others need 4,000.
  node_process node(output, {"--hold", "1s", "--held-memory", "4MiB"});
  auto modestly = brisk();
  modestly.flows_a_second = 4'000;
  played_fleet others(node.address(), churning_fleet(), modestly);
  auto alone = churning_fleet();
  alone.agents = 1;
  alone.addresses = 20;
  auto all_it_can = brisk();
  all_it_can.flows_a_second = 200'000;
  played_fleet greedy(node.address(), alone, all_it_can);
  ASSERT_TRUE(others.play_until(
      [&] {
        greedy.fleet().step();
        return others.fleet().connected() && greedy.fleet().connected();
      },
      seconds{60}));
  std::uint64_t most_of_others = 0;
  ASSERT_TRUE(others.play_until(
      [&] {
        greedy.fleet().step();
        most_of_others = std::max(most_of_others, others.unacknowledged());
        return greedy.unacknowledged() > 600'000 && others.fleet().counters().flows_acknowledged > 40'000;
      },
      seconds{60}))
      << greedy.unacknowledged();
  // A second's hold, a sync and a clock ping: some 6,000. Eight seconds' worth on a slow machine.
  EXPECT_LT(most_of_others, 32'000U) << "while the greedy one has " << greedy.unacknowledged();
  EXPECT_GT(greedy.fleet().counters().flows_acknowledged, 10'000U) << "what is left over is its own";
  EXPECT_EQ(node.metric_now("tenure_node_sessions_flooding_total"), 0) << "it keeps to its credit";
  EXPECT_LT(node.metric_now("tenure_node_held_bytes"), (4 << 20) + 21 * 16'384);
  ASSERT_TRUE(others.settle());
  EXPECT_EQ(others.fleet().counters().disconnects, 0U);
  EXPECT_EQ(greedy.fleet().counters().disconnects, 0U);
}

}  // namespace
}  // namespace tenure::testing
