#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "actors/delay.hpp"
#include "tests/actors/hand_made_agent.hpp"
#include "tests/actors/world.hpp"

// An output that has no room for minutes, under virtual time: agents wait by credit, the node's memory stays
// under its bound, and afterwards everything is written once.
namespace tenure::actors::testing {
namespace {

struct full_output : ::testing::Test {
  world w;
  std::size_t budget = 1 << 20;

  void begin() {
    node_settings settings;
    settings.hold.hold = second;
    settings.held_bytes = budget;
    w.start_node(settings);
  }
};

TEST_F(full_output, agents_wait_by_credit_and_afterwards_everything_is_written_once) {
  begin();
  hand_made_agent agent(w, 0xa1);
  agent.seal(400, 50);  // of 80 bytes each in the budget: more than fits
  w.sink->no_room = true;
  for (int i = 0; i < 180; ++i) {
    agent.send_what_may_go();
    w.advance(second);
  }
  EXPECT_EQ(agent.acknowledged(), 0U);
  EXPECT_EQ(w.running.counters->sink_full, 1U);
  EXPECT_EQ(w.running.counters->sink_fillings, 1U);
  EXPECT_LE(w.running.budget->used(), static_cast<std::int64_t>(budget + agent.largest_frame()));
  EXPECT_LT(agent.sent(), 400U) << "credit held it back";
  EXPECT_GT(agent.sent(), 0U);
  EXPECT_FALSE(w.node_failed);
  EXPECT_FALSE(agent.closed()) << "pings are answered all the while";

  w.sink->no_room = false;
  for (int i = 0; i < 120 && agent.acknowledged() < 400; ++i) {
    agent.send_what_may_go();
    w.advance(second);
  }
  EXPECT_EQ(agent.acknowledged(), 400U);
  EXPECT_EQ(w.sink->written.size(), 400U * 50);
  EXPECT_EQ(w.sink->durable, 400U * 50);
  EXPECT_EQ(w.running.counters->sink_full, 0U);
  EXPECT_EQ(w.running.counters->flows_released, 0U);
}

TEST_F(full_output, what_is_released_to_it_has_a_bound_and_the_rest_waits_in_the_hold) {
  budget = std::size_t{64} << 20;
  begin();
  w.sink->no_room = true;
  const std::size_t batches = 2 * most_released / 4'000;
  hand_made_agent agent(w, 0xa1);
  agent.seal(batches, 4'000);
  for (int i = 0; i < 600 && agent.sent() < batches; ++i) {
    agent.send_what_may_go();
    w.advance(second / 10);
  }
  w.advance(5 * second);
  EXPECT_EQ(agent.sent(), batches);
  EXPECT_LE(w.sink->written.size(), 16'384U) << "a lot or two";
  const std::uint64_t released = w.running.counters->flows_released;
  EXPECT_LE(released, most_released + 4 * 16'384) << "and a lot of each delay actor";
  EXPECT_GT(released, most_released / 2);
  w.sink->no_room = false;
  for (int i = 0; i < 60 && agent.acknowledged() < batches; ++i) w.advance(second);
  EXPECT_EQ(agent.acknowledged(), batches);
  EXPECT_EQ(w.sink->written.size(), batches * 4'000);
}

TEST_F(full_output, a_drain_does_not_wait_for_room) {
  begin();
  hand_made_agent agent(w, 0xa1);
  agent.seal(20, 50);
  w.sink->no_room = true;
  agent.send_what_may_go();
  w.advance(5 * second);
  ASSERT_EQ(w.running.counters->sink_full, 1U);
  EXPECT_EQ(w.drain(), false) << "not everything is durable";
  EXPECT_EQ(agent.acknowledged(), 0U);
}

TEST_F(full_output, after_a_failure_nothing_is_accepted_any_more) {
  begin();
  hand_made_agent agent(w, 0xa1);
  agent.seal(20, 50);
  w.sink->broken = true;
  agent.send_what_may_go();
  w.advance(5 * second);
  EXPECT_TRUE(w.node_failed);
  EXPECT_EQ(w.running.counters->sink_failures, 1U);
  w.sink->broken = false;  // it would pretend that all is well
  hand_made_agent another(w, 0xa2);
  w.advance(5 * second);
  EXPECT_FALSE(another.welcomed());
  EXPECT_TRUE(another.closed());
  EXPECT_EQ(agent.acknowledged(), 0U);
  EXPECT_EQ(w.sink->durable, 0U);
}

}  // namespace
}  // namespace tenure::actors::testing
