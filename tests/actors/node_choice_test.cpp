#include "actors/node_choice.hpp"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

// Which node an agent dials, and when it goes to another.
namespace tenure::actors {
namespace {

using addresses = std::vector<std::string>;

RC_GTEST_PROP(node_choice, tries_every_address_before_it_tries_one_again, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(1, 9);
  addresses all;
  for (std::size_t i = 0; i < count; ++i) all.push_back("10.0.0." + std::to_string(i) + ":4740");
  node_choice choice({"nodes:4740"}, *rc::gen::inRange<std::uint64_t>(1, 1'000'000));
  choice.resolved(all);
  for (int round = 0; round < 3; ++round) {
    addresses dialed;
    for (std::size_t i = 0; i < count; ++i) dialed.push_back(choice.next(""));
    std::sort(dialed.begin(), dialed.end());
    RC_ASSERT(dialed == all);
  }
}

TEST(node_choice, dials_the_other_links_node_only_when_there_is_no_other) {
  node_choice choice({"a:1", "b:1"}, 7);
  choice.resolved({"a:1", "b:1"});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(choice.next("a:1"), "b:1");
  choice.resolved({"a:1"});
  EXPECT_EQ(choice.next("a:1"), "a:1");
}

TEST(node_choice, notices_a_node_that_is_new_and_keeps_what_it_knew_when_nobody_answers) {
  node_choice choice({"nodes:1"}, 7);
  EXPECT_EQ(choice.resolved({"a:1", "b:1"}), "");
  EXPECT_EQ(choice.resolved({"b:1", "a:1"}), "");
  EXPECT_EQ(choice.resolved({"b:1", "c:1", "a:1"}), "c:1");
  EXPECT_EQ(choice.resolved({}), "");
  EXPECT_NE(choice.next(""), "");
}

/// A fleet of agents on some nodes. Each looks once a round, at numbers of the round before, as the pings of
/// its main and its spare node told them.
struct fleet {
  std::vector<node_choice> agents;
  std::vector<std::size_t> main;
  std::vector<std::uint32_t> here;

  fleet(std::size_t count, std::size_t nodes, std::uint64_t seed) : here(nodes) {
    for (std::size_t i = 0; i < count; ++i) agents.emplace_back(addresses{"n:1"}, seed + 7'919 * i);
  }
  /// @returns how many moved
  std::size_t look(std::minstd_rand& spares) {
    const auto told = here;
    std::size_t moved = 0;
    for (std::size_t i = 0; i < agents.size(); ++i) {
      const auto spare = (main[i] + 1 + spares() % (here.size() - 1)) % here.size();
      if (!agents[i].should_move(told[main[i]], told[spare])) continue;
      --here[main[i]];
      ++here[spare];
      main[i] = spare;
      ++moved;
    }
    return moved;
  }
};

RC_GTEST_PROP(node_choice, a_node_that_joined_gets_its_share_and_never_a_herd, ()) {
  const auto nodes = *rc::gen::inRange<std::size_t>(2, 7);
  const auto count = *rc::gen::inRange<std::size_t>(40, 800);
  const auto seed = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  fleet f(count, nodes, seed);
  for (std::size_t i = 0; i < count; ++i) {
    f.main.push_back(i % (nodes - 1));  // the last node is new
    ++f.here[f.main.back()];
  }
  std::minstd_rand spares{static_cast<std::minstd_rand::result_type>(seed)};
  std::size_t all = 0;
  for (int round = 0; round < 120; ++round) {  // an hour
    const auto moved = f.look(spares);
    RC_ASSERT(moved <= count / 6 + 10);
    all += moved;
  }
  const auto [least, most] = std::minmax_element(f.here.begin(), f.here.end());
  RC_ASSERT(*most <= *least + 4 + *least / 2 + 6);
  RC_ASSERT(all <= 2 * count);
}

TEST(node_choice, stays_where_nothing_is_clearly_uneven) {
  node_choice choice({"a:1"}, 7);
  for (int i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(choice.should_move(2, 0));
    EXPECT_FALSE(choice.should_move(120, 100));
    EXPECT_FALSE(choice.should_move(100, 120));
  }
}

}  // namespace
}  // namespace tenure::actors
