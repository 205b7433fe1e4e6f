#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/played_fleet.hpp"
#include "tests/sinks/small_disk.hpp"

// A node whose output has no room, or takes what it gets slowly: its agents wait, and nothing is lost.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

constexpr std::size_t mib = 1 << 20;

/// Looks at the node now and then while a fleet plays.
class watch {
 public:
  explicit watch(const node_process& node) : node_(node), first_resident_(node.resident()) {}
  void look() {
    if (++looks_ % 20 != 0) return;
    held_ = std::max(held_, node_.metric_now("tenure_node_held_bytes"));
    grown_ = std::max(grown_, node_.resident() - std::min(first_resident_, node_.resident()));
  }
  /// @param budget what it was given as --held-memory
  void expect_bounded(std::size_t budget) const {
    EXPECT_GT(held_, 0.5 * static_cast<double>(budget)) << "or the test does not fill it";
    EXPECT_LT(held_, static_cast<double>(budget + 20 * 16'384)) << "the budget, and a batch of each agent";
    // What is on its way out is on top: answers and text of a quarter of a million flows.
    EXPECT_LT(grown_, 2 * budget + 64 * mib);
    ::testing::Test::RecordProperty("grown_mib", static_cast<int>(grown_ / mib));
  }

 private:
  const node_process& node_;
  std::size_t first_resident_;
  std::size_t grown_ = 0;
  double held_ = 0;
  int looks_ = 0;
};

/// For so long there is no room: two and a half minutes in `make soak`.
seconds without_room() {
  return long_forms() ? seconds{150} : seconds{4};
}

void full_and_empty_again(const std::string& name) {
  // For what was sent meanwhile, which agents keep, there has to be room afterwards.
  const small_disk disk((long_forms() ? 2'048 : 512) * mib);
  if (!disk.mounted()) GTEST_SKIP() << "needs root";
  const std::string output = disk.path() + "/" + name;
  disk.fill(name.ends_with(".tnr") ? mib / 2 : 4 * mib);
  node_process node(output, {"--hold", "300ms", "--held-memory", "8MiB"});
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  watch seen(node);
  ASSERT_TRUE(fleet.play_until([&] { return node.metric_now("tenure_node_sink_full") == 1; }, seconds{60}));
  const auto acknowledged = fleet.fleet().counters().flows_acknowledged.load();
  // On and on, though the budget is filled within a second or two.
  fleet.play_until(
      [&] {
        seen.look();
        return false;
      },
      without_room());
  seen.expect_bounded(8 * mib);
  EXPECT_EQ(fleet.fleet().counters().flows_acknowledged, acknowledged) << "nothing became durable meanwhile";
  EXPECT_GT(fleet.unacknowledged(), 20'000U) << "agents keep what they cannot send";

  // A node that starts on the full disk waits for room as well.
  node.kill();
  node.start();
  ASSERT_TRUE(fleet.play_until([&] { return node.metric_now("tenure_node_sink_full") == 1; }, seconds{60}));
  disk.empty();
  ASSERT_TRUE(fleet.settle());
  EXPECT_EQ(node.metric_now("tenure_node_sink_full"), 0);
  EXPECT_EQ(node.metric_now("tenure_node_flows_released"), 0);
  EXPECT_TRUE(node.process().says("there is room again")) << node.process().err();
  EXPECT_EQ(node.end(), 0) << node.process().err();
  expect_all_there_and_right(fleet.judge(output));
  if (!name.ends_with(".tnr")) return;
  disk.fill(64 << 10);
  child elsewhere({"/bin/sh", "-c",
                   "exec '" + tenure_binary() + "' read '" + output + "' > '" + disk.path() + "/lines'"});
  EXPECT_EQ(elsewhere.wait(), 3) << "lines that have no room are not lines that were printed";
  EXPECT_NE(elsewhere.err().find("there is no room for what is in it"), std::string::npos) << elsewhere.err();
}

TEST(delivery, a_full_disk_makes_agents_wait_and_nothing_is_lost) {
  full_and_empty_again("out.ndjson");
}

TEST(delivery, a_full_disk_under_blocks_makes_agents_wait_and_nothing_is_lost) {
  full_and_empty_again("out.tnr");
}

TEST(delivery, an_end_on_a_full_disk_says_that_not_all_is_durable) {
  const small_disk disk(64 * mib);
  if (!disk.mounted()) GTEST_SKIP() << "needs root";
  disk.fill(mib);
  node_process node(disk.path() + "/out.ndjson", {"--hold", "300ms"});
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  ASSERT_TRUE(fleet.play_until([&] { return node.metric_now("tenure_node_sink_full") == 1; }, seconds{60}));
  EXPECT_EQ(node.end(), 3) << node.process().err();
  EXPECT_NE(node.process().err().find("not everything that was held became durable"), std::string::npos);
}

TEST(delivery, a_slow_disk_makes_agents_wait_and_nothing_is_lost) {
  const temporary_folder folder;
  // A pipe that is read slowly is a disk that is written slowly: the output stands still in its write.
  const std::string pipe = folder / "disk";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string output = folder / "out.ndjson";
  std::ofstream file(output, std::ios::binary);
  node_process node(pipe, {"--hold", "300ms", "--held-memory", "4MiB"});
  const int fd = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  std::vector<char> chunk(64 << 10);
  const auto read_some = [&] {
    const auto got = ::read(fd, chunk.data(), chunk.size());
    if (got > 0) file.write(chunk.data(), got);
    return got > 0;
  };
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  watch seen(node);
  int steps = 0;
  fleet.play_until(
      [&] {
        if (++steps % 20 == 0) read_some();
        seen.look();
        return false;
      },
      seconds{5});
  seen.expect_bounded(4 * mib);
  // What the output takes before it lets others wait, and what of a lot and of a piece is on top of it.
  EXPECT_GT(node.metric_now("tenure_node_sink_unwritten_bytes"), 15 * mib);
  EXPECT_LT(node.metric_now("tenure_node_sink_unwritten_bytes"), 32 * mib);
  EXPECT_GT(fleet.unacknowledged(), 20'000U);
  fleet.fleet().stop_flows();
  EXPECT_TRUE(fleet.play_until(
      [&] {
        while (read_some()) {
        }
        return fleet.fleet().settled();
      },
      seconds{120}));
  node.process().signal(SIGTERM);
  EXPECT_TRUE(eventually(
      [&] {
        while (read_some()) {
        }
        return node.process().wait(seconds{0}) == 0;
      },
      seconds{60}))
      << node.process().err();
  while (read_some()) {
  }
  ::close(fd);
  file.close();
  expect_all_there_and_right(fleet.judge(output));
}

}  // namespace
}  // namespace tenure::testing
