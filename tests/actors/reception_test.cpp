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

}  // namespace
}  // namespace tenure::actors::testing
