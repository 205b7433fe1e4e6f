#include "actors/reminders.hpp"

#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::actors {
namespace {

using numbers = reminders<int>;
constexpr nanos step = numbers::step;

TEST(reminders, those_for_about_the_same_time_share_one) {
  numbers r;
  EXPECT_EQ(r.next(), std::nullopt);
  r.ask(2 * step + 1, 1);
  r.ask(3 * step, 2);
  r.ask(2 * step, 3);
  EXPECT_EQ(r.next(), 2 * step);
  EXPECT_EQ(r.due(3 * step - 1), std::vector{3});
  EXPECT_EQ(r.next(), 3 * step);
  EXPECT_EQ(r.due(3 * step), (std::vector{1, 2}));
  EXPECT_EQ(r.next(), std::nullopt);
}

// Of somebody whose timer is exact: each is reminded once, never early, and less than a step late.
RC_GTEST_PROP(reminders, each_comes_once_in_time, ()) {
  numbers r;
  std::map<int, nanos> asked;
  nanos now = *rc::gen::inRange<nanos>(0, 100 * step);
  int who = 0;
  const auto look = [&] {
    int before = -1;
    nanos step_before = time_min;
    for (const int w : r.due(now)) {
      const auto at = asked.find(w);
      RC_ASSERT(at != asked.end());
      RC_ASSERT(at->second <= now);
      const nanos its_step = (at->second + step - 1) / step;
      RC_ASSERT(its_step > step_before || (its_step == step_before && w > before));
      step_before = its_step;
      before = w;
      asked.erase(at);
    }
    for (const auto& [w, at] : asked) RC_ASSERT(at > now - step);
  };
  for (int steps = *rc::gen::inRange(0, 100); steps > 0; --steps) {
    if (*rc::gen::arbitrary<bool>()) {
      const nanos at = now + *rc::gen::inRange<nanos>(-step, 20 * step);
      asked.emplace(++who, std::max<nanos>(at, now - step + 1));
      r.ask(asked[who], who);
    } else {
      const nanos then = now + *rc::gen::inRange<nanos>(0, 5 * step);
      while (r.next() && *r.next() <= then) {
        now = std::max(now, *r.next());
        look();
      }
      now = then;
    }
  }
  RC_ASSERT(r.next().has_value() == !asked.empty());
}

}  // namespace
}  // namespace tenure::actors
