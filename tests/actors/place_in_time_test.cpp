#include "actors/place_in_time.hpp"

#include <gtest/gtest.h>

namespace tenure::actors {
namespace {

constexpr nanos stamp = 1000 * second;

/// The guest stood still for 10 s after the first bracket, which was answered in the very instant of the
/// stamp. The later brackets are tighter.
clock_bound paused_after_the_first() {
  clock_bound clock;
  EXPECT_TRUE(clock.add({0, second, stamp}));
  for (int i = 1; i < 4; ++i)
    EXPECT_TRUE(clock.add({(10 + i) * second, (10 + i) * second + millisecond, stamp + i * second}));
  return clock;
}

// Seed 20722 of the swarm: evidence reached beyond the truth by the pause.
TEST(place_in_time, refuses_evidence_that_ends_with_the_reading_of_the_first_bracket) {
  evidence e;
  e.from = stamp - 60 * second;
  e.until = stamp;
  EXPECT_FALSE(place_in_time(paused_after_the_first(), e));
  e.until = stamp + 1;
  ASSERT_TRUE(place_in_time(paused_after_the_first(), e));
  EXPECT_LE(e.until - e.until_error, second + 1) << "the pause is inside the error";
}

TEST(place_in_time, knows_nothing_of_a_flow_that_received_last_at_the_reading_of_the_first_bracket) {
  flow_times t;
  t.is_established = true;
  t.opened = stamp;
  t.established = t.last_received = t.closed = stamp;
  auto late = t;
  late.last_received = late.closed = stamp + 1;
  place_in_time(paused_after_the_first(), t);
  EXPECT_EQ(t.error, unknown_error);
  EXPECT_EQ(t.opened, time_min);
  place_in_time(paused_after_the_first(), late);
  EXPECT_LT(late.error, 20 * second);
}

}  // namespace
}  // namespace tenure::actors
