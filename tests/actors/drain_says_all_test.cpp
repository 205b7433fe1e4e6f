#include "tests/actors/path.hpp"

// What waits for a ping that was promised when the node drains.
namespace tenure::actors::testing {
namespace {

TEST_F(path, a_drain_acknowledges_at_once_what_would_wait_for_a_ping) {
  begin();
  w.advance(100 * millisecond);  // beyond what the first ping was answered with
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", second)});
  // One that was promised came last, and the next is not due.
  w.advance(1'300 * millisecond);
  ASSERT_EQ(w.exported->batches_retained, 1U);
  const nanos asked = w.clock->time;
  EXPECT_TRUE(w.drain());
  w.settle();
  EXPECT_EQ(w.clock->time, asked) << "no time has passed";
  EXPECT_EQ(w.exported->batches_retained, 0U);
}

struct another_path : path {
  void TestBody() override {}
};

/// A flow whose far end nobody is known to hold.
void hold_one(path& p) {
  p.begin({.hold = 60 * second, .when = release::early});
  p.w.advance(3 * second);  // its clock is known when it opens
  observe(p.agent, {connection(p.w, "10.0.0.1", "10.0.0.2", second)});
}

// On its way back to wait on when the node is told to drain, it was in neither place that was asked.
TEST_F(path, a_drain_waits_for_what_a_shard_was_just_asked_about) {
  constexpr nanos step = 10 * millisecond;
  nanos asked_after = 0;
  {
    another_path before;
    hold_one(before);
    for (; before.w.running.counters->flows_asked == 0; asked_after += step) {
      ASSERT_LT(asked_after, 20 * second);
      before.w.advance(step);
    }
  }
  hold_one(*this);
  w.advance(asked_after - step);
  ASSERT_EQ(w.running.counters->flows_asked, 0U);
  w.sink->tells_later = true;
  w.pass(step);
  // Its lot reaches the shard while the delay actor is asked to drain, and comes back after that.
  w.newest_first = true;
  EXPECT_TRUE(w.drain());
  EXPECT_EQ(w.sink->written.size(), 1U);
  w.settle();
  EXPECT_EQ(w.exported->batches_retained, 0U) << "it is durable, and the agent knows";
}

}  // namespace
}  // namespace tenure::actors::testing
