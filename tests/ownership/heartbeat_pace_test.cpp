#include "ownership/heartbeat_pace.hpp"

#include <gtest/gtest.h>

#include "ownership/timelines.hpp"

namespace tenure {
namespace {

/// Heartbeats of 500 tenancies, so far apart, for so long.
void beat(heartbeat_pace& pace, nanos& now, nanos apart, nanos length) {
  for (const nanos end = now + length; now < end; now += apart / 500) pace.extended_by(apart, now);
}

TEST(heartbeat_pace, is_at_first_what_agents_have_by_default) {
  heartbeat_pace pace;
  EXPECT_EQ(pace.typical(), 10 * second);
  pace.extended_by(0, second);
  pace.extended_by(-second, second);
  EXPECT_EQ(pace.typical(), 10 * second);
}

TEST(heartbeat_pace, follows_a_fleet_that_is_set_to_another_pace) {
  heartbeat_pace pace;
  nanos now = hour;
  for (const nanos apart : {second, 60 * second, 10 * second}) {
    beat(pace, now, apart, 20 * minute);
    EXPECT_NEAR(static_cast<double>(pace.typical()), static_cast<double>(apart),
                static_cast<double>(apart) / 10);
  }
}

TEST(heartbeat_pace, a_start_at_which_all_is_said_anew_moves_it_little) {
  heartbeat_pace pace;
  for (nanos now = 0; now < 10 * second; now += millisecond) pace.extended_by(now, hour + now);
  EXPECT_GT(pace.typical(), 7 * second);
}

TEST(heartbeat_pace, evidence_of_the_far_future_or_past_does_not_stop_it) {
  heartbeat_pace pace;
  nanos now = hour;
  for (const nanos other : {time_max, time_min, 1'000 * hour}) {
    pace.extended_by(second, other);
    beat(pace, now, second, 20 * minute);
    EXPECT_NEAR(static_cast<double>(pace.typical()), 1e9, 1e8);
    beat(pace, now, 10 * second, 20 * minute);
  }
}

TEST(heartbeat_pace, of_timelines_is_that_of_the_evidence) {
  timelines known;
  for (nanos beats = 1; beats <= 400; ++beats)
    for (std::uint32_t a = 0; a < 50; ++a) {
      evidence e;
      e.endpoint.address = address::v4(a);
      e.tenancy = {1, a + 1};
      e.workload = workload_id{1};
      e.from = 1;
      e.until = beats * 3 * second + nanos{a} * 50 * millisecond;
      known.merge(e);
      known.merge(e);  // repeats say nothing about the pace
    }
  EXPECT_NEAR(static_cast<double>(known.heartbeat()), 3e9, 1e8);
}

}  // namespace
}  // namespace tenure
