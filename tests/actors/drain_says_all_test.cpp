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

}  // namespace
}  // namespace tenure::actors::testing
