#include <csignal>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"

// Nodes that drain under load: they hand over what they have, send their agents away, and end.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// After so long nodes know clocks and timelines from before, and can take over.
constexpr seconds warm_up{11};

TEST(cluster, drained_by_a_command_a_node_hands_over_what_nobody_else_has_and_ends) {
  cluster_wish wish;
  wish.options = {"--plain-peers", "--replicas", "1"};
  loaded_cluster three(wish);
  three.fleet().play(warm_up);
  const auto quiet = three.fleet().now();
  const auto before = three.node(1).get("/v1/drain");
  EXPECT_EQ(before.substr(0, 8), "serving ") << before;
  child drain(three.machines().on(1, {tenure_binary(), "node", "--drain", "--http",
                                      hosts::address(1) + ":" + std::to_string(three.node(1).http())}));
  int code = -1;
  EXPECT_TRUE(three.fleet().play_until([&] { return (code = drain.wait(seconds{0})) >= 0; }, seconds{25}));
  EXPECT_EQ(code, 0) << drain.err();
  EXPECT_EQ(three.node(1).process().wait(seconds{10}), 0) << three.node(1).process().err();
  double received = 0;
  for (const std::size_t i : {0, 2}) {
    received += three.node(i).metric_now("tenure_node_timelines_received_total");
    EXPECT_EQ(three.members_of(i), 2U);
  }
  EXPECT_GT(received, 300) << "a third of 4,096 addresses belonged to it";
  EXPECT_EQ(three.node(1).process().err().find("learns our timelines"), std::string::npos)
      << three.node(1).process().err();
  three.fleet().play(seconds{2});
  const auto end = three.fleet().now();
  const auto found = three.finish();
  const auto was = found.covered(0, quiet).percent();
  const auto is = found.covered(quiet, end).percent();
  std::cout << "attributed before " << was << " %, from the drain on " << is << " %\n";
  EXPECT_GT(is, was - 5);
}

TEST(cluster, a_node_that_nobody_hears_any_more_drains_within_its_bound) {
  loaded_cluster three;
  three.fleet().play(warm_up);
  for (std::size_t i = 0; i < 4; ++i) {
    if (i == 1) continue;
    three.machines().cut(i, 1);
    three.machines().cut(1, i);
  }
  three.leave(1);
  const auto log = three.node(1).process().err();
  EXPECT_NE(log.find("etcd was not told that this node leaves"), std::string::npos) << log;
  for (std::size_t i = 0; i < 4; ++i) three.machines().heal(i);
  three.node(1).start();
  ASSERT_TRUE(three.complete());
  ASSERT_TRUE(three.connected());
  three.finish();
}

TEST(cluster, restarted_in_turn_by_drains_all_nodes_together_lower_no_coverage) {
  loaded_cluster three;
  three.fleet().play(warm_up);
  const auto begin = three.fleet().now();
  three.fleet().play(long_forms() ? seconds{30} : seconds{5});
  const auto restarting = three.fleet().now();
  for (std::size_t i = 0; i < 3; ++i) {
    three.leave(i);
    three.node(i).start();
    ASSERT_TRUE(three.complete());
    ASSERT_TRUE(three.connected());
    three.fleet().play(long_forms() ? seconds{15} : milliseconds{500});
  }
  const auto end = three.fleet().now();
  const auto found = three.finish();
  const auto quiet = found.covered(begin, restarting).percent();
  const auto during = found.covered(restarting, end).percent();
  RecordProperty("attributed_percent_quiet", std::to_string(quiet));
  RecordProperty("attributed_percent_restarting", std::to_string(during));
  std::cout << "attributed in quiet " << quiet << " %, while restarting " << during << " %\n";
  EXPECT_GT(during, quiet - 1);
}

}  // namespace
}  // namespace tenure::testing
