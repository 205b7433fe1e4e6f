#include "actors/known_clocks.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::actors {
namespace {

wire::clock_bracket at(std::uint64_t clock, nanos reading) {
  return {clock, reading + second, reading + second + millisecond, reading};
}

RC_GTEST_PROP(KnownClocks, KeepsTheFirstTheLatestAndOneOfEachAgeInBetween, ()) {
  known_clocks k;
  const auto steps = *rc::gen::container<std::vector<nanos>>(rc::gen::inRange<nanos>(1, 10 * minute));
  nanos now = 0;
  for (const nanos step : steps) {
    now += step;
    RC_ASSERT(k.learn(at(3, now), now));
  }
  const auto told = k.tell();
  RC_ASSERT(told.size() == std::min(steps.size(), known_clocks::most_of_a_clock));
  if (told.empty()) return;
  RC_ASSERT(told.front().reading == steps.front());
  RC_ASSERT(told.back().reading == now);
  for (std::size_t i = 1; i < told.size(); ++i) RC_ASSERT(told[i - 1].reading < told[i].reading);
}

TEST(KnownClocks, AWeekOfPingsLeavesBracketsFromMinutesToDaysAgo) {
  known_clocks k;
  constexpr nanos week = 7 * 24 * hour;
  for (nanos t = 0; t <= week; t += 5 * second) ASSERT_TRUE(k.learn(at(3, t), t));
  const auto told = k.tell();
  ASSERT_EQ(told.size(), known_clocks::most_of_a_clock);
  EXPECT_LT(week - told[told.size() - 2].reading, 10 * minute);
  EXPECT_GT(week - told[1].reading, hour);
}

TEST(KnownClocks, KeepsNothingThatIsNoBracketAndNoMoreThanSixteenClocks) {
  known_clocks k;
  EXPECT_FALSE(k.learn({}, 100)) << "the node says nothing";
  EXPECT_FALSE(k.learn({3, 10, 9, 5}, 100)) << "received before it was sent";
  EXPECT_FALSE(k.learn({3, 10, 11, 101}, 100)) << "a reading that was never made";
  EXPECT_TRUE(k.tell().empty());
  for (std::uint64_t c = 1; c <= 40; ++c) ASSERT_TRUE(k.learn(at(c, static_cast<nanos>(c)), 100));
  const auto told = k.tell();
  ASSERT_EQ(told.size(), known_clocks::most_clocks);
  EXPECT_EQ(told.front().clock, 25U) << "the oldest went";
}

TEST(KnownClocks, ANodeTakesWhatItCouldHaveSaidOfItsOwnClockOnly) {
  clock_bound c;
  EXPECT_EQ(recall({at(4, 0), at(4, minute)}, 3, hour, c), 0U);
  EXPECT_EQ(recall({at(3, 0)}, 0, hour, c), 0U) << "it says nothing of its clock itself";
  ASSERT_TRUE(c.add({hour, hour, hour}));
  EXPECT_FALSE(c.bracketed_before(minute));

  clock_bound d;
  const wire::clock_bracket unborn{3, hour, hour + 1, 2 * minute};
  const wire::clock_bracket backwards{3, second, 2 * second, 3 * minute};
  EXPECT_EQ(recall({at(3, 0), at(3, minute), unborn, backwards}, 3, hour, d), 2U);
  EXPECT_TRUE(d.empty()) << "it waits for a bracket of its own";
  ASSERT_TRUE(d.add({hour, hour, hour}));
  EXPECT_TRUE(d.bracketed_before(0));
  EXPECT_FALSE(d.bracketed_before(-1));
}

}  // namespace
}  // namespace tenure::actors
