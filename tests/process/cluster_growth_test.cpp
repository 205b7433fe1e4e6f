#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"

// A cluster that grows and shrinks under load.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(cluster, grows_from_one_node_to_four_and_back_under_load) {
  cluster_wish wish;
  wish.nodes = 4;
  wish.at_first = 1;
  if (long_forms()) {
    wish.hold = "10s";
    wish.pace.heartbeat = 2 * second;
    wish.pace.repeat = 30 * second;
    wish.who.lifetime = 60 * second;
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
  }
  cluster.fleet().play(seconds{2});
  for (const auto& n : cluster.nodes_told_by(0)) {
    const double share = n.at("share");
    EXPECT_TRUE(share > 0.2 && share < 0.3) << n;
  }
  for (std::size_t i = 1; i < 4; ++i)
    EXPECT_GT(cluster.node(i).metric_now("tenure_node_flows_from_nodes_total"), 0) << i;
  for (std::size_t i = 3; i > 0; --i) {
    cluster.leave(i);
    cluster.fleet().play(long_forms() ? a_while : seconds{0});
  }
  EXPECT_TRUE(cluster.fleet().play_until([&] { return cluster.members_of(0) == 1; }, seconds{30}));
  cluster.fleet().play(seconds{1});
  const auto end = cluster.fleet().now();
  const auto found = cluster.finish();
  RecordProperty("attributed_percent_one", std::to_string(found.covered(begin, joining).percent()));
  RecordProperty("attributed_percent_moving", std::to_string(found.covered(joining, end).percent()));
  EXPECT_GT(found.attributed, found.records / 3);
}

}  // namespace
}  // namespace tenure::testing
