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

/// Another node's clock, which runs slower than ours by 100 ppm from the reading 0 on.
clock_bound slower(nanos span) {
  clock_bound clock(200, 1'000);
  for (nanos ours = 0; ours <= span; ours += second)
    EXPECT_TRUE(clock.add({ours, ours + 1, ours - ours / 10'000}));
  return clock;
}

// Seed 1478461935 of the swarm: a stamp that may lie two minutes to either side was carried to another node
// as if the clocks were equally far apart in all that time, and a hull began 3.6 ms before the truth.
TEST(place_in_time, carries_both_ends_of_a_stamp_that_was_bounded_before) {
  const auto clock = slower(400 * second);
  const auto in_ours = [](nanos reading) { return reading + reading / 9'999; };
  evidence e;
  e.from = 150 * second;
  e.until = 250 * second;
  e.from_error = e.until_error = 140 * second;
  ASSERT_TRUE(place_in_time(clock, e));
  EXPECT_GE(e.from + e.from_error, in_ours(290 * second));
  EXPECT_LE(e.until - e.until_error, in_ours(110 * second));
  flow_times t;
  t.is_established = true;
  t.opened = t.established = 150 * second;
  t.last_received = t.closed = 250 * second;
  t.error = 140 * second;
  place_in_time(clock, t);
  for (const auto& [placed, reading] : {std::pair{t.opened, 150 * second}, {t.last_received, 250 * second}}) {
    EXPECT_LE(placed - t.error, in_ours(reading - 140 * second));
    EXPECT_GE(placed + t.error, in_ours(reading + 140 * second));
  }
}

// It may have been before the guest stood still, whatever its middle says.
TEST(place_in_time, asks_for_a_bracket_before_the_earliest_that_a_stamp_may_be) {
  evidence e;
  e.from = stamp - 60 * second;
  e.until = stamp + second;
  e.until_error = 2 * second;
  EXPECT_FALSE(place_in_time(paused_after_the_first(), e));
}

}  // namespace
}  // namespace tenure::actors
