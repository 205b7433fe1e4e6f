#include <iostream>

#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"

// A cluster that grows and shrinks under load.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// What a node has handed over, as `tenure query cluster` tells it.
struct handed_over {
  double times = 0;
  double bytes = 0;
  double seconds = 0;
};

handed_over told_by(const loaded_cluster& cluster, std::size_t node) {
  const auto told = nlohmann::json::parse(cluster.node(node).get("/v1/cluster")).at("handed_over");
  return {told.at("times"), told.at("bytes"), told.at("seconds")};
}

TEST(cluster, grows_from_one_node_to_four_and_back_under_load) {
  cluster_wish wish;
  wish.nodes = 4;
  wish.at_first = 1;
  if (long_forms()) {
    wish.hold = "10s";
    wish.pace.heartbeat = 2 * second;
    wish.pace.repeat = 30 * second;
    wish.who.lifetime = 60 * second;
    wish.who.addresses = 65'536;
  }
  const seconds a_while{long_forms() ? 20 : 1};
  loaded_cluster cluster(wish);
  cluster.fleet().play(a_while);
  const auto begin = cluster.fleet().now();
  cluster.fleet().play(a_while);
  const auto joining = cluster.fleet().now();
  for (std::size_t i = 1; i < 4; ++i) {
    cluster.add(i);
    ASSERT_TRUE(cluster.complete());
    if (long_forms()) cluster.fleet().play(a_while);
    for (const auto& n : cluster.nodes_told_by(0)) {
      const double expected = 1.0 / static_cast<double>(i + 1);
      EXPECT_NEAR(n.at("share").get<double>(), expected, 0.2 * expected) << n;
    }
  }
  // What a node is to hold it is sent when it is warm.
  const auto all_sent = [&] {
    double received = 0;
    for (std::size_t i = 1; i < 4; ++i)
      received += cluster.node(i).metric_now("tenure_node_timelines_received_total") > 0 ? 1 : 0;
    return received == 3 && cluster.all_judge_for_others({1, 2, 3}) && told_by(cluster, 0).times >= 3;
  };
  EXPECT_TRUE(cluster.fleet().play_until(all_sent, seconds{60}));
  handed_over sent;
  const auto add = [&](std::size_t node) {
    const auto h = told_by(cluster, node);
    sent = {sent.times + h.times, sent.bytes + h.bytes, sent.seconds + h.seconds};
  };
  for (std::size_t i = 0; i < 4; ++i) add(i);
  for (std::size_t i = 3; i > 0; --i) {
    cluster.leave(i);
    cluster.fleet().play(long_forms() ? a_while : seconds{0});
  }
  EXPECT_TRUE(cluster.fleet().play_until([&] { return cluster.members_of(0) == 1; }, seconds{30}));
  cluster.fleet().play(seconds{1});
  const auto end = cluster.fleet().now();
  const auto found = cluster.finish();
  std::cout << "handed over at joins: " << sent.bytes / 1e6 << " MB in " << sent.times << " times, "
            << sent.bytes / 1e6 / sent.seconds << " MB/s\n"
            << "attributed on one node " << found.covered(begin, joining).percent() << " %, while moving "
            << found.covered(joining, end).percent() << " %\n";
  RecordProperty("hand_over_megabytes_a_second", std::to_string(sent.bytes / 1e6 / sent.seconds));
  RecordProperty("attributed_percent_one", std::to_string(found.covered(begin, joining).percent()));
  RecordProperty("attributed_percent_moving", std::to_string(found.covered(joining, end).percent()));
  EXPECT_GT(found.attributed, found.records / 3);
}

}  // namespace
}  // namespace tenure::testing
