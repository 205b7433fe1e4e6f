#include "actors/next_look.hpp"

#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::actors {
namespace {

TEST(next_look, an_earlier_wish_takes_the_place_of_a_later_one) {
  next_look next;
  EXPECT_TRUE(next.wish(20));
  EXPECT_FALSE(next.wish(30)) << "it comes before that";
  EXPECT_TRUE(next.wish(10));
  EXPECT_TRUE(next.came(10));
  EXPECT_TRUE(next.wish(25));
  EXPECT_FALSE(next.came(20)) << "the timer of what is no wish any more";
  EXPECT_TRUE(next.came(25));
  EXPECT_FALSE(next.came(26));
}

TEST(next_look, a_later_wish_that_comes_again_has_its_timer_already) {
  next_look next;
  EXPECT_TRUE(next.wish(100));
  for (nanos at = 10; at < 100; at += 10) {
    EXPECT_TRUE(next.wish(at));
    EXPECT_TRUE(next.came(at));
    EXPECT_FALSE(next.wish(100)) << "that timer is on its way";
  }
  EXPECT_TRUE(next.came(100));
  EXPECT_TRUE(next.wish(200));
}

// Of somebody who always wishes for something, and sometimes for something earlier.
RC_GTEST_PROP(next_look, no_wish_is_missed_and_timers_do_not_multiply, ()) {
  next_look next;
  std::multiset<nanos> timers;
  nanos now = 0;
  nanos wished = time_max;
  const auto wish = [&](nanos at) {
    wished = std::min(wished, at);
    if (next.wish(at)) timers.insert(at);
  };
  int earlier = 0;
  nanos regular = 100;
  std::size_t followed = 0;
  wish(100);
  for (int steps = *rc::gen::inRange(1, 200); steps > 0; --steps) {
    if (earlier < 5 && *rc::gen::inRange(0, 4) == 0) {
      ++earlier;
      wish(now + *rc::gen::inRange<nanos>(0, 50));
    }
    RC_ASSERT(!timers.empty());
    now = std::max(now, *timers.begin());
    timers.erase(timers.begin());
    RC_ASSERT(now <= wished || wished == time_max);
    if (!next.came(now)) continue;
    RC_ASSERT(now == wished);
    ++followed;
    wished = time_max;
    // What is wished for again, as a regular look is when something else was looked at before.
    wish(regular > now ? regular : regular = now + 100);
    RC_ASSERT(timers.count(regular) <= 1U);
  }
  RC_ASSERT(timers.size() <= 1U + 5U);
  // Those of earlier wishes end; they do not set new ones.
  while (timers.size() > 1) {
    now = std::max(now, *timers.begin());
    timers.erase(timers.begin());
    if (next.came(now)) wish(now + 1'000);
  }
  RC_TAG(followed > 2 ? "many" : "few");
}

}  // namespace
}  // namespace tenure::actors
