#include <csignal>

#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"

// Several real nodes that are one cluster: they answer as one, leave, come back, and die.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(cluster, three_nodes_answer_as_one_while_each_leaves_and_comes_back) {
  loaded_cluster three;
  three.fleet().play(seconds{2});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_GT(three.node(i).metric_now("tenure_node_flows_forwarded_total"), 0);
    EXPECT_GT(three.node(i).metric_now("tenure_node_flows_from_nodes_total"), 0);
  }
  const auto quiet = three.fleet().now();
  child query(three.machines().on(1, {tenure_binary(), "query", "cluster", "--http",
                                      hosts::address(1) + ":" + std::to_string(three.node(1).http())}));
  EXPECT_EQ(query.wait(), 0) << query.err();
  EXPECT_NE(query.out().find("as n1 sees it"), std::string::npos) << query.out();
  for (std::size_t i = 0; i < 2; ++i) {
    three.leave(i);
    three.fleet().play(seconds{1});
    three.node(i).start();
    ASSERT_TRUE(three.connected());
  }
  three.fleet().play(seconds{1});
  const auto found = three.finish();
  const auto covered = found.covered(0, quiet).percent();
  RecordProperty("attributed_percent", std::to_string(covered));
  EXPECT_GT(covered, 33) << "each node names the far ends of its prefixes";
}

TEST(cluster, any_node_killed_under_load_nothing_is_lost_and_nobody_named_wrongly) {
  loaded_cluster three;
  for (std::size_t i = 0; i < 3; ++i) {
    three.fleet().play(milliseconds{1'000});
    auto& victim = three.node(i);
    victim.kill();
    three.fleet().play(milliseconds{i == 1 ? 4'000 : 500});  // with and without being given up
    victim.start();
    ASSERT_TRUE(three.connected());
  }
  three.fleet().play(seconds{1});
  const auto found = three.finish();
  RecordProperty("attributed_percent", std::to_string(found.covered(0, three.fleet().now()).percent()));
  EXPECT_GT(found.attributed, found.records / 10) << "or there was nothing to get wrong";
}

TEST(cluster, all_killed_at_once_two_heartbeats_after_they_are_back_coverage_is_what_it_was) {
  const cluster_wish wish;
  loaded_cluster three{wish};
  three.fleet().play(seconds{1});
  const auto begin = three.fleet().now();
  three.fleet().play(seconds{2});
  const auto quiet = three.fleet().now();
  three.fleet().play(seconds{2});  // what is held at its death a node has not resolved
  for (std::size_t i = 0; i < 3; ++i) three.node(i).process().signal(SIGKILL);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(three.node(i).process().wait(), 128 + SIGKILL);
  three.fleet().play(milliseconds{500});
  for (std::size_t i = 0; i < 3; ++i) three.node(i).start();
  ASSERT_TRUE(three.connected());
  const auto full = three.fleet().now() + 2 * wish.pace.heartbeat;
  three.fleet().play(seconds{4});
  const auto end = three.fleet().now();
  const auto found = three.finish();
  const auto was = found.covered(begin, quiet).percent();
  const auto is = found.covered(full, end).percent();
  RecordProperty("attributed_percent_before", std::to_string(was));
  RecordProperty("attributed_percent_after", std::to_string(is));
  EXPECT_GT(is, was - 2);
}

}  // namespace
}  // namespace tenure::testing
