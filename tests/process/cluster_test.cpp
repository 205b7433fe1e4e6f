#include <csignal>
#include <cstdlib>
#include <iostream>

#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"

// Several real nodes that are one cluster: they answer as one, leave, come back, and die.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// The `tenure` of an earlier commit, where there is one; else the one under test.
std::string previous_binary() {
  const char* path = std::getenv("TENURE_PREVIOUS");
  return path == nullptr ? tenure_binary() : path;
}

// With TENURE_PREVIOUS the nodes are of an earlier version at first, so that old and new ones work together.
TEST(cluster, three_nodes_answer_as_one_while_each_is_restarted_in_turn) {
  cluster_wish wish;
  wish.binary = previous_binary();
  loaded_cluster three(wish);
  three.fleet().play(seconds{2});
  // While all are young the oldest judges: it knows most.
  EXPECT_TRUE(three.fleet().play_until([&] { return three.all_judge_for_others({0, 1, 2}); }, seconds{60}));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_GT(three.node(i).metric_now("tenure_node_flows_forwarded_total"), 0);
  const auto quiet = three.fleet().now();
  child query(three.machines().on(1, {tenure_binary(), "query", "cluster", "--http",
                                      hosts::address(1) + ":" + std::to_string(three.node(1).http())}));
  EXPECT_EQ(query.wait(), 0) << query.err();
  EXPECT_NE(query.out().find("as n1 sees it"), std::string::npos) << query.out();
  for (std::size_t i = 0; i < 3; ++i) {
    three.leave(i);
    three.fleet().play(milliseconds{500});
    three.node(i).start(tenure_binary());
    ASSERT_TRUE(three.connected());
    three.fleet().play(long_forms() ? seconds{15} : seconds{0});
  }
  three.fleet().play(seconds{1});
  const auto end = three.fleet().now();
  const auto found = three.finish();
  const auto before = found.covered(0, quiet).percent();
  RecordProperty("attributed_percent_quiet", std::to_string(before));
  const auto restarting = found.covered(quiet, end).percent();
  RecordProperty("attributed_percent_restarting", std::to_string(restarting));
  EXPECT_GT(before, 33) << "each node names the far ends of its prefixes";
  EXPECT_GT(restarting, before - (long_forms() ? 1 : 10))
      << "agents have spare links, and nodes have successors";
}

/// What `make soak` kills: a node every ten seconds, for three minutes, with a hold longer than a restart.
/// And shorter than what lies between two of these: of two holders of a prefix one has to have been there all
/// along.
cluster_wish to_be_killed() {
  cluster_wish wish;
  if (!long_forms()) return wish;
  wish.hold = "5s";
  wish.pace.heartbeat = 2 * second;
  wish.pace.repeat = 30 * second;
  wish.who.lifetime = 60 * second;
  return wish;
}

TEST(cluster, any_node_killed_under_load_nothing_is_lost_and_nobody_named_wrongly) {
  loaded_cluster three(to_be_killed());
  // A node that is killed holds what came within the hold before.
  three.fleet().play(long_forms() ? seconds{12} : seconds{1});
  const auto begin = three.fleet().now();
  three.fleet().play(long_forms() ? seconds{30} : seconds{1});
  const auto quiet = three.fleet().now();
  three.fleet().play(long_forms() ? seconds{12} : seconds{1});
  const auto killing = three.fleet().now();
  for (std::size_t i = 0; i < (long_forms() ? 18U : 3U); ++i) {
    auto& victim = three.node(i % 3);
    const milliseconds down{i % 2 == 1 ? 4'000 : 500};  // with and without being given up
    victim.kill();
    three.fleet().play(down);
    victim.start();
    ASSERT_TRUE(three.connected());
    three.fleet().play(long_forms() ? milliseconds{10'000} - down : milliseconds{1'000});
  }
  const auto end = three.fleet().now();
  const auto found = three.finish();
  const auto was = found.covered(begin, quiet);
  const auto is = found.covered(killing, end);
  RecordProperty("quiet", was.to_string());
  RecordProperty("killing", is.to_string());
  if (long_forms())
    for (auto t = begin; t < end; t += 5 * second)
      std::cout << "from second " << (t - killing) / second
                << " on: " << found.covered(t, t + 5 * second).to_string() << "\n";
  EXPECT_GT(found.attributed, found.records / 10) << "or there was nothing to get wrong";
  // The short form kills faster than a node comes to know anything.
  EXPECT_GT(is.percent(), long_forms() ? was.percent() - 1 : was.percent() / 2);
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
