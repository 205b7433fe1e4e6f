#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

#include "tests/actors/hand_made_agent.hpp"
#include "tests/actors/world.hpp"

// An output that says later, from elsewhere, what is durable, under virtual time.
namespace tenure::actors::testing {
namespace {

struct slow_output : ::testing::Test {
  world w;

  void SetUp() override {
    node_settings settings;
    settings.hold.hold = second;
    w.start_node(settings);
    w.sink->tells_later = true;
  }

  void send(hand_made_agent& agent, std::size_t batches) {
    agent.seal(batches, 50);
    agent.send_what_may_go();
    w.advance(3 * second);
  }
  void tell() {
    ASSERT_TRUE(w.sink->tell());
    w.settle();
  }
};

TEST_F(slow_output, what_is_written_while_a_sync_is_under_way_is_confirmed_with_the_next) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  EXPECT_EQ(w.sink->under_way.size(), 1U);
  EXPECT_EQ(agent.acknowledged(), 0U) << "nothing is durable yet";
  send(agent, 2);
  EXPECT_EQ(w.sink->written.size(), 150U) << "the sink goes on meanwhile";
  EXPECT_EQ(w.sink->under_way.size(), 1U) << "one sync at a time";
  tell();
  EXPECT_EQ(agent.acknowledged(), 1U);
  w.advance(second);
  tell();
  EXPECT_EQ(agent.acknowledged(), 3U);
  w.advance(10 * second);
  EXPECT_TRUE(w.sink->under_way.empty()) << "nothing is left to sync";
}

TEST_F(slow_output, what_a_busy_output_does_not_take_is_written_when_a_sync_has_ended) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  w.sink->has_enough = true;
  send(agent, 2);
  EXPECT_EQ(w.sink->written.size(), 50U);
  tell();
  EXPECT_EQ(w.sink->written.size(), 50U) << "it is busy still";
  EXPECT_EQ(w.sink->under_way.size(), 1U) << "and asked again at once, not a quarter of a second later";
  w.sink->has_enough = false;
  tell();
  EXPECT_EQ(w.sink->written.size(), 150U);
  w.advance(second);
  tell();
  EXPECT_EQ(agent.acknowledged(), 3U);
  EXPECT_EQ(w.running.counters->sink_fillings, 0U) << "busy is not full";
}

TEST_F(slow_output, without_room_at_the_end_of_a_sync_nothing_is_confirmed_until_there_is) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  w.sink->no_room = true;
  send(agent, 1);
  tell();
  EXPECT_EQ(agent.acknowledged(), 0U);
  EXPECT_EQ(w.running.counters->sink_fillings, 1U);
  w.sink->no_room = false;
  w.advance(second);
  tell();
  w.advance(second);
  while (w.sink->tell()) w.advance(second);
  EXPECT_EQ(agent.acknowledged(), 2U);
  EXPECT_EQ(w.sink->durable, 100U);
}

TEST_F(slow_output, how_long_each_sync_took_is_counted) {
  hand_made_agent agent(w, 0xa1);
  const auto& times = w.running.counters->output_syncs;
  const auto up_to = [&](nanos limit) {
    const auto at = std::ranges::find(sync_times::limits, limit);
    return times.syncs(static_cast<std::size_t>(at - sync_times::limits.begin()));
  };
  agent.seal(1, 50);
  agent.send_what_may_go();
  for (int i = 0; i < 500 && w.sink->under_way.empty(); ++i) w.advance(10 * millisecond);
  ASSERT_EQ(w.sink->under_way.size(), 1U);
  w.advance(700 * millisecond);
  EXPECT_EQ(times.sum(), 0U) << "it has not ended";
  tell();
  EXPECT_EQ(up_to(second), 1U);
  EXPECT_GE(times.sum(), 700ULL * millisecond);
  w.advance(10 * second);
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < sync_times::steps; ++i) all += times.syncs(i);
  EXPECT_EQ(all, 1U);
}

TEST_F(slow_output, a_sync_that_fails_later_is_as_final_as_one_that_fails_at_once) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  w.sink->broken = true;
  tell();
  w.advance(second);
  EXPECT_TRUE(w.node_failed);
  EXPECT_EQ(w.running.counters->sink_failures, 1U);
  EXPECT_EQ(agent.acknowledged(), 0U);
}

TEST_F(slow_output, a_drain_is_answered_when_all_is_durable) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  send(agent, 2);
  ASSERT_EQ(w.sink->under_way.size(), 1U);
  EXPECT_TRUE(w.drain());
  EXPECT_EQ(w.sink->durable, 150U);
  EXPECT_EQ(agent.acknowledged(), 3U);
}

// A node alone that is told to end has open doors until it has.
TEST_F(slow_output, a_drain_does_not_wait_for_what_comes_after_it) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  int more = 0;
  const bool drained = w.drain([&] {
    if (++more > 50) return;
    agent.seal(1, 50);
    agent.send_what_may_go();
    w.settle();
  });
  EXPECT_TRUE(drained);
  EXPECT_LT(more, 10);
}

TEST_F(slow_output, an_agent_that_comes_while_a_node_drains_is_served_and_holds_nothing_up) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  std::optional<hand_made_agent> late;
  const bool drained = w.drain([&] {
    if (late) return;
    late.emplace(w, 0xb2);
    late->seal(1, 50);
    late->send_what_may_go();
    w.settle();
  });
  EXPECT_TRUE(drained);
  EXPECT_EQ(agent.acknowledged(), 1U);
  ASSERT_TRUE(late);
  EXPECT_EQ(w.running.counters->flows_received, 100U);
  // It comes after what the drain asked about, so it need not be durable yet; acknowledged it is not before.
  EXPECT_GE(w.sink->durable, 50 + 50 * late->acknowledged());
  w.advance(10 * second);
  while (w.sink->tell()) w.settle();
  EXPECT_EQ(late->acknowledged(), 1U) << "nothing of it is lost while the node is there";
}

TEST_F(slow_output, a_drain_is_answered_when_its_sync_fails) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  w.sink->broken = true;
  EXPECT_FALSE(w.drain());
  EXPECT_EQ(agent.acknowledged(), 0U);
}

TEST_F(slow_output, a_drain_does_not_wait_for_room_either) {
  hand_made_agent agent(w, 0xa1);
  send(agent, 1);
  w.sink->no_room = true;
  EXPECT_FALSE(w.drain());
  EXPECT_EQ(agent.acknowledged(), 0U);
}

}  // namespace
}  // namespace tenure::actors::testing
