#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/process/played_fleet.hpp"

// A node whose disk goes bad: after a failed sync nobody knows what is on it, so the node must not go on. And
// one whose disk takes its time.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

TEST(delivery, after_a_failed_sync_a_node_ends_and_nothing_is_lost) {
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  const std::string gone_bad = folder / "gone-bad";
  node_process node(output, {"--hold", "300ms"},
                    {"env", "LD_PRELOAD=" TENURE_BAD_DISK, "ASAN_OPTIONS=verify_asan_link_order=0",
                     "FAILING_SYNC=" + gone_bad});
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  const auto acknowledged = [&] { return fleet.fleet().counters().flows_acknowledged.load(); };
  ASSERT_TRUE(fleet.play_until([&] { return acknowledged() > 5'000; }, seconds{60}));
  std::ofstream{gone_bad};
  ASSERT_TRUE(fleet.play_until([&] { return node.process().wait(seconds{0}) != -1; }, seconds{60}))
      << "it does not try again and pretend";
  EXPECT_EQ(node.process().wait(), 3) << node.process().err();
  EXPECT_NE(node.process().err().find("cannot make durable " + output), std::string::npos)
      << node.process().err();
  const auto in_flight = fleet.unacknowledged();

  // On a disk that is good again all of it is delivered, and what was written without being durable once
  // more.
  std::filesystem::remove(gone_bad);
  node.start();
  ASSERT_TRUE(fleet.settle());
  EXPECT_EQ(node.end(), 0) << node.process().err();
  const auto found = fleet.judge(output);
  expect_all_there_and_right(found);
  EXPECT_GT(found.repeats, 0U) << "what the failed sync was about was not acknowledged, so it came again";
  EXPECT_LE(found.repeats, in_flight);
}

TEST(delivery, a_disk_whose_syncs_take_a_second_each_makes_flows_late_and_loses_none) {
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  node_process node(
      output, {"--hold", "300ms", "--held-memory", "2MiB"},
      {"env", "LD_PRELOAD=" TENURE_BAD_DISK, "ASAN_OPTIONS=verify_asan_link_order=0", "SYNC_TAKES=1000"});
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  double most = 0;
  int looks = 0;
  ASSERT_TRUE(fleet.play_until(
      [&] {
        if (++looks % 10 == 0) most = std::max(most, node.metric_now("tenure_node_held_bytes"));
        return fleet.fleet().counters().flows_acknowledged > 40'000;
      },
      seconds{60}));
  EXPECT_GT(most, 1 << 20) << "what waits for a sync is held";
  EXPECT_LT(most, (2 << 20) + 20 * 16'384) << "the budget, and a batch of each agent";
  ASSERT_TRUE(fleet.settle());
  const auto text = node.metrics();
  const double syncs = metric(text, "tenure_node_sink_sync_seconds_count");
  EXPECT_GT(syncs, 3);
  EXPECT_GE(metric(text, "tenure_node_sink_sync_seconds_sum"), syncs);
  EXPECT_EQ(node.end(), 0) << node.process().err();
  expect_all_there_and_right(fleet.judge(output));
}

}  // namespace
}  // namespace tenure::testing
