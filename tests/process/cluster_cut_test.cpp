#include <csignal>

#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"

// Nodes that do not hear each other, or nobody, for a while.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(cluster, cut_off_from_each_other_or_from_etcd_nodes_lose_nothing_and_name_nobody_wrongly) {
  loaded_cluster three;
  const auto& machines = three.machines();
  // A dead peer is noticed within three seconds, without a FIN too.
  const auto lonely = [&](std::size_t node, std::size_t sees) {
    EXPECT_TRUE(three.fleet().play_until([&] { return three.seen_by(node) == sees; }, seconds{7})) << node;
  };
  three.fleet().play(seconds{1});

  machines.cut(0, 1);  // one direction: what node 0 says does not come to node 1
  lonely(1, 2);
  lonely(0, 2);
  machines.heal(1);
  ASSERT_TRUE(three.complete());

  machines.cut(0, 1);  // node 0 and the others, both directions
  machines.cut(0, 2);
  machines.cut(1, 0);
  machines.cut(2, 0);
  lonely(0, 1);
  lonely(2, 2);
  for (std::size_t i = 0; i < 3; ++i) machines.heal(i);
  ASSERT_TRUE(three.complete());

  // Etcd alone, of one node, past its lease: the others drop that node, which goes on with what it knows.
  machines.cut(three.etcd_host(), 2);
  machines.cut(2, three.etcd_host());
  EXPECT_TRUE(three.fleet().play_until([&] { return three.members_of(0) == 2; }, seconds{30}));
  EXPECT_EQ(three.members_of(2), 3U);
  machines.heal(2);
  machines.heal(three.etcd_host());
  EXPECT_TRUE(three.fleet().play_until([&] { return three.members_of(0) == 3; }, seconds{30}));
  ASSERT_TRUE(three.complete());
  three.fleet().play(seconds{1});
  const auto found = three.finish();
  EXPECT_GT(found.attributed, found.records / 10) << "or there was nothing to get wrong";
}

TEST(cluster, stopped_past_its_lease_a_node_owns_what_another_owns_too) {
  loaded_cluster three;
  three.fleet().play(seconds{1});
  auto& sleeper = three.node(2).process();
  sleeper.signal(SIGSTOP);
  EXPECT_TRUE(three.fleet().play_until([&] { return three.members_of(0) == 2; }, seconds{30}));
  sleeper.signal(SIGCONT);
  EXPECT_TRUE(three.fleet().play_until([&] { return three.members_of(0) == 3; }, seconds{30}));
  ASSERT_TRUE(three.complete());
  three.fleet().play(seconds{1});
  const auto found = three.finish();
  EXPECT_GT(found.attributed, found.records / 10) << "or there was nothing to get wrong";
}

}  // namespace
}  // namespace tenure::testing
