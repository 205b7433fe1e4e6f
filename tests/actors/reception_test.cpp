#include <algorithm>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "capnp/codec.hpp"
#include "tests/actors/hand_made_agent.hpp"
#include "tests/actors/world.hpp"

namespace tenure::actors::testing {
namespace {

// By number of arrival and not by address, or the same seed would not be the same run.
TEST(reception, turns_away_who_says_nothing_in_the_order_of_arrival) {
  world w;
  w.start_node({});
  std::vector<int> told;
  std::vector<transport::link_ptr> links;
  for (int i = 0; i < 20; ++i)
    links.push_back(w.links->dial("node:1", {[&told, i](const transport::frame& f) {
                                               const auto m = wire::decode(f, 0);
                                               if (m && std::holds_alternative<wire::goodbye>(*m))
                                                 told.push_back(i);
                                             },
                                             [](transport::close_reason) {}}));
  w.advance(12 * second);
  ASSERT_EQ(told.size(), links.size());
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end()));
}

// They are one step of the session then: what the good ones cause happens, though the last one ends it.
TEST(reception, frames_that_came_together_with_a_bad_one_are_not_lost) {
  world w;
  w.start_node({});
  hand_made_agent agent(w, 5);
  agent.seal(3, 2);
  agent.send_what_may_go();
  agent.send_bytes({1, 2, 3});
  w.settle();
  EXPECT_TRUE(agent.closed());
  EXPECT_NE(agent.goodbye(), "");
  EXPECT_EQ(w.running.counters->frames_refused, 1U);
  EXPECT_EQ(w.running.counters->flows_held(), 6U);
  w.advance(70 * second);
  EXPECT_EQ(w.sink->written.size(), 6U);
  EXPECT_EQ(w.running.counters->flows_held(), 0U);
}

// Some megabytes in one go are read in several turns, and all of them are.
TEST(reception, a_flood_within_bounds_is_read_to_its_end_and_in_order) {
  world w;
  w.start_node({});
  hand_made_agent agent(w, 5, false);
  agent.seal(70, 500);
  ASSERT_GT(70 * agent.largest_frame(), 3 * max_turn_bytes);
  agent.send_all();
  w.settle();
  EXPECT_LT(w.running.counters->batches_received, 70U) << "others have their turn";
  w.advance(second);
  EXPECT_FALSE(agent.closed()) << agent.goodbye();
  EXPECT_EQ(w.running.counters->batches_received, 70U);
  EXPECT_EQ(w.running.counters->flows_held(), 35'000U);
  w.advance(70 * second);
  EXPECT_EQ(w.sink->written.size(), 35'000U);
}

TEST(reception, what_is_left_of_a_flood_ends_with_its_connection) {
  world w;
  w.start_node({});
  hand_made_agent agent(w, 5, false);
  agent.seal(70, 500);
  agent.send_all();
  agent.leave();
  w.settle();
  const auto before = w.running.counters->batches_received.load();
  EXPECT_LT(before, 70U) << "the rest comes again";
  hand_made_agent again(w, 5, false);
  again.seal(1, 2);
  again.send_all();
  w.settle();
  EXPECT_FALSE(again.closed()) << again.goodbye();
  EXPECT_EQ(w.running.counters->batches_received, before + 1);
}

/// Comes, sends a batch, and leaves or does what it may not.
void come_once(world& w, std::uint64_t incarnation, bool refused) {
  hand_made_agent agent(w, incarnation);
  agent.seal(1, 0);
  agent.send_all();
  if (refused)
    agent.send_all();
  else
    agent.leave();
  w.settle();
}

// Each is some kilobytes, and whoever is sent away may come again as somebody else.
TEST(reception, remembers_no_more_than_its_bound_of_those_that_left_and_of_those_that_were_sent_away) {
  for (const bool refused : {false, true}) {
    world w;
    w.start_node({});
    for (std::uint64_t n = 1; n <= max_resting + 1; ++n) come_once(w, n, refused);
    EXPECT_EQ(w.running.counters->agents_forgotten, 1U);
    const auto& repeated = w.running.counters->batches_repeated;
    ASSERT_EQ(repeated, 0U);
    come_once(w, 2, false);
    EXPECT_EQ(repeated, 1U) << "the second is known";
    come_once(w, 1, false);
    EXPECT_EQ(repeated, 1U) << "the first is not";
  }
}

TEST(reception, one_that_comes_again_and_again_takes_nobodys_place) {
  world w;
  w.start_node({});
  come_once(w, 1, false);
  for (std::uint64_t n = 1; n <= max_resting + 1; ++n) come_once(w, 2, false);
  EXPECT_EQ(w.running.counters->agents_forgotten, 0U);
  const auto before = w.running.counters->batches_repeated.load();
  come_once(w, 1, false);
  EXPECT_EQ(w.running.counters->batches_repeated, before + 1);
}

}  // namespace
}  // namespace tenure::actors::testing
