#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "tests/process/played_fleet.hpp"

// A node whose disk goes bad: after a failed sync nobody knows what is on it, so the node must not go on.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

TEST(delivery, after_a_failed_sync_a_node_ends_and_nothing_is_lost) {
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  const std::string gone_bad = folder / "gone-bad";
  node_process node(output, {"--hold", "300ms"},
                    {"env", "LD_PRELOAD=" TENURE_FAILING_SYNC, "ASAN_OPTIONS=verify_asan_link_order=0",
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

}  // namespace
}  // namespace tenure::testing
