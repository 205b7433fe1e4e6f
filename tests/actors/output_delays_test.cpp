#include "actors/output_delays.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/actors/path.hpp"

namespace tenure::actors::testing {
namespace {

RC_GTEST_PROP(output_delays, a_delay_is_in_the_step_between_two_limits, ()) {
  const auto magnitude = *rc::gen::inRange(0, 43);
  const nanos delay = *rc::gen::inRange<nanos>(-second, nanos{1} << magnitude);
  const auto step = output_delays::step_of(delay);
  RC_ASSERT(step < output_delays::steps);
  if (step + 1 < output_delays::steps) RC_ASSERT(delay < output_delays::limit(step));
  if (step > 0) RC_ASSERT(delay >= output_delays::limit(step - 1));
}

TEST(output_delays, steps_begin_at_the_usual_holds) {
  for (const nanos hold : {5 * second, 10 * second, 20 * second, 30 * second, 60 * second})
    EXPECT_EQ(output_delays::limit(output_delays::step_of(hold) - 1), hold);
}

/// The least limit that so many of a hundred flows stay below.
nanos within(const output_delays& delays, std::uint64_t percent) {
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < output_delays::steps; ++i) all += delays.flows(i);
  std::uint64_t sum = 0;
  std::size_t step = 0;
  while ((sum += delays.flows(step)) * 100 < all * percent) ++step;
  return step + 1 < output_delays::steps ? output_delays::limit(step) : time_max;
}

struct of_output : path {
  /// Twenty seconds of flows, one each 100 ms, every fifth to an address that nobody has, and the time to
  /// have them all out.
  const output_delays& play(release when) {
    begin({.hold = 60 * second, .when = when});
    w.ipman(agent, assign("10.0.0.1", "gateway"));
    w.ipman(agent, assign("10.0.0.2", "checkout"));
    w.advance(30 * second);
    for (int i = 0; i < 200; ++i) {
      observe(agent, {connection(w, "10.0.0.1", i % 5 == 0 ? "10.0.0.9" : "10.0.0.2", 2 * second)});
      w.advance(100 * millisecond);
    }
    w.advance(90 * second);
    EXPECT_EQ(w.sink->written.size(), 200U);
    return w.running.counters->close_to_output;
  }
};

TEST_F(of_output, full_release_keeps_every_flow_for_the_hold) {
  const auto& delays = play(release::full);
  for (std::size_t i = 0; i < output_delays::step_of(60 * second); ++i) EXPECT_EQ(delays.flows(i), 0U) << i;
  EXPECT_LT(within(delays, 99), 75 * second);
  EXPECT_GT(delays.sum(), 200ULL * 60 * second);
}

TEST_F(of_output, early_release_follows_the_heartbeat) {
  const auto& delays = play(release::early);
  EXPECT_LT(within(delays, 50), 20 * second) << "a heartbeat of 10 s, and what asks again";
  EXPECT_LT(within(delays, 79), 30 * second);
  EXPECT_GE(within(delays, 81), 60 * second) << "what nobody answers waits for the hold";
}

}  // namespace
}  // namespace tenure::actors::testing
