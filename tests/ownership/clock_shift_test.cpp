#include "ownership/clock_shift.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/ownership/observed_clock.hpp"

namespace tenure {
namespace {

// Stamps that one shift does not hold, asked about every one and all that come after it. @param reached how
// many it said something about
int stamps_missed_by_shift(std::uint64_t seed, const weather& w, int& reached) {
  const auto [bound, stamps] = observe(seed, w);
  const clock_shift shift(bound);
  int missed = 0;
  for (auto first = stamps.begin(); first != stamps.end(); ++first) {
    const nanos error = shift.error_since(first->theirs);
    if (error == unknown_error) continue;
    ++reached;
    missed += static_cast<int>(std::count_if(first, stamps.end(), [&](const stamp& s) {
      return !holds({s.theirs + shift.offset(), error}, s);
    }));
  }
  return missed;
}

RC_GTEST_PROP(ClockShift, HoldsTheTruthWhateverTheDelaysAndTheDriftAndThroughPauses, ()) {
  int reached = 0;
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  RC_ASSERT(stamps_missed_by_shift(seed, {}, reached) == 0);
  RC_ASSERT(stamps_missed_by_shift(seed, {.pause_percent = 30}, reached) == 0);
  RC_ASSERT(stamps_missed_by_shift(seed, {.pause_percent = 30, .spacing = second}, reached) == 0);
  RC_ASSERT(reached > 0);
}

TEST(ClockShift, DriftBeyondTheBoundIsNoticedByTheModel) {
  int reached = 0;
  int missed = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed)
    missed += stamps_missed_by_shift(seed, {.most_ppm = 20'000}, reached);
  EXPECT_GT(missed, 0) << "or the model is blind";
}

TEST(ClockShift, SaysNothingOfWhatHasNoBracketBeforeIt) {
  clock_bound clock;
  EXPECT_EQ(clock_shift(clock).error_since(0), unknown_error);
  for (int i = 1; i <= 10; ++i) clock.add({i * second, i * second + millisecond, i * second + 500});
  const clock_shift shift(clock);
  EXPECT_EQ(shift.error_since(second + 500), unknown_error) << "that reading may have been before the stamp";
  EXPECT_LT(shift.error_since(2 * second), 3 * millisecond);
  EXPECT_LT(shift.error_since(time_max), 3 * millisecond) << "the latest reading bounds it";
  EXPECT_EQ(shift.error_since(time_min), unknown_error);
}

TEST(ClockShift, ErrsByWhatTheClockStoodStillSinceTheFirstStamp) {
  clock_bound clock;
  for (int i = 1; i <= 4; ++i) clock.add({i * second, i * second + millisecond, i * second});
  for (int i = 15; i <= 18; ++i) clock.add({i * second, i * second + millisecond, (i - 10) * second});
  const clock_shift shift(clock);
  EXPECT_LT(shift.error_since(5 * second + second / 3), 3 * millisecond) << "to a quarter of a second";
  EXPECT_GT(shift.error_since(5 * second - 1), 9 * second);
}

}  // namespace
}  // namespace tenure
