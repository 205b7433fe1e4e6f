#include <gtest/gtest.h>

#include "tests/process/ledger.hpp"
#include "tests/process/played_fleet.hpp"

// When a real node lets flows go: with the hold, before it, after it.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

TEST(release, early_answers_come_before_the_first_hold_is_over_and_are_right) {
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  node_process node(output, {"--release", "early", "--hold", "60s"});
  auto who = churning_fleet();
  who.covered = 0.5;  // so that in nearly every batch there is a flow whose far end nobody holds
  played_fleet fleet(node.address(), who, brisk());
  const nanos begin = fleet.now();
  ASSERT_TRUE(fleet.play_until([&] { return node.metric_now("tenure_node_flows_attributed_total") > 10'000; },
                               seconds{59}));
  ASSERT_LT(fleet.now() - begin, 60 * second) << "or the hold could have done it";
  // The first ones came before a clock was known, and nothing will be known of them.
  EXPECT_LT(fleet.fleet().counters().flows_acknowledged, fleet.fleet().counters().flows_sealed / 20)
      << "what has no answer yet waits, and its batch with it";
  fleet.fleet().stop_flows();
  // All has come and been placed in time: the rest is the node's to answer, though it ends.
  const auto sealed = static_cast<double>(fleet.fleet().counters().flows_sealed);
  ASSERT_TRUE(fleet.play_until(
      [&] {
        const auto text = node.metrics();
        return metric(text, "tenure_node_flows_attributed_total") + unattributed_in(text) +
                   metric(text, "tenure_node_flows_released") + metric(text, "tenure_node_hold_flows") ==
               sealed;
      },
      seconds{60}));
  EXPECT_EQ(node.end(), 0) << node.process().err();
  const auto found = fleet.judge(output);
  expect_all_there_and_right(found);
  EXPECT_GT(found.attributed, 10'000U);
}

/// @returns of the flows that were sealed a while after the beginning, the percentage that is named
double named_with(const std::vector<std::string>& longer) {
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  std::vector<std::string> options{"--hold", "300ms"};
  options.insert(options.end(), longer.begin(), longer.end());
  node_process node(output, options);
  // A heartbeat takes far longer than the hold, and holders stay.
  auto who = churning_fleet();
  who.lifetime = 600 * second;
  auto pace = brisk();
  pace.flows_a_second = 2'000;
  pace.heartbeat = 3 * second;
  played_fleet fleet(node.address(), who, pace);
  EXPECT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
  fleet.play(seconds{2});
  const nanos from = fleet.now();
  fleet.play(seconds{6});
  const nanos until = fleet.now();
  EXPECT_TRUE(fleet.settle());
  const auto found = fleet.judge(output);
  expect_all_there_and_right(found);
  return found.covered(from, until).percent();
}

TEST(release, what_lacks_nothing_but_evidence_may_wait_for_it_beyond_the_hold) {
  const double without = named_with({});
  const double with = named_with({"--hold-max", "5s"});
  EXPECT_LT(without, 50) << "most are asked about before the heartbeat that proves them";
  EXPECT_GT(with, 85) << "of which nine tenths have a far end that somebody holds";
}

}  // namespace
}  // namespace tenure::testing
