#include "agent/ping_wait.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::agent {
namespace {

/// What was sent, by the first word of each frame.
struct waiting : testing::Test {
  ping_wait wait;
  std::vector<std::uint64_t> sent;
  nanos now = 1000 * second;

  auto send() {
    return [this](wire::frame f) { sent.push_back(f.front()); };
  }
  bool put(std::uint64_t number, bool may_wait = true, std::size_t words = 1) {
    wire::frame f(words, 0);
    f.front() = number;
    return wait.put(std::move(f), may_wait, now, send());
  }
  using all = std::vector<std::uint64_t>;
};

TEST_F(waiting, without_a_promise_nothing_waits) {
  EXPECT_FALSE(put(1));
  wait.pinged(now, 0, send());
  EXPECT_FALSE(put(2));
  EXPECT_EQ(sent, (all{1, 2}));
}

TEST_F(waiting, what_waits_follows_the_ping_that_was_promised) {
  wait.pinged(now, second, send());
  EXPECT_TRUE(put(1));
  now += second / 2;
  EXPECT_TRUE(put(2));
  EXPECT_EQ(wait.until(), 1001 * second + ping_wait::grace);
  EXPECT_EQ(sent, all{});
  wait.pinged(now, 0, send());
  EXPECT_EQ(sent, (all{1, 2}));
  EXPECT_EQ(wait.until(), std::nullopt);
  EXPECT_FALSE(put(3)) << "no other was promised";
}

TEST_F(waiting, a_ping_that_is_late_is_waited_for_no_longer) {
  wait.pinged(now, second, send());
  EXPECT_TRUE(put(1));
  now = *wait.until() - 1;
  wait.look(now, send());
  EXPECT_EQ(sent, all{});
  wait.look(++now, send());
  EXPECT_EQ(sent, all{1});
  EXPECT_FALSE(put(2));
}

TEST_F(waiting, what_others_may_be_asked_about_takes_all_that_waits_along) {
  wait.pinged(now, second, send());
  EXPECT_TRUE(put(1));
  EXPECT_FALSE(put(2, false));
  EXPECT_EQ(sent, (all{1, 2}));
  EXPECT_TRUE(put(3)) << "the promise stands";
}

TEST_F(waiting, an_agent_with_much_to_say_says_it) {
  wait.pinged(now, second, send());
  constexpr std::size_t half = ping_wait::most_bytes / 8 / 2;
  EXPECT_TRUE(put(1, true, half));
  EXPECT_TRUE(put(2, true, half));
  EXPECT_FALSE(put(3));
  EXPECT_EQ(sent, (all{1, 2, 3}));
  EXPECT_TRUE(put(4));
}

TEST_F(waiting, what_leaves_before_its_time_ends_the_promise) {
  wait.pinged(now, second, send());
  EXPECT_TRUE(put(1));
  wait.leave(send());
  EXPECT_EQ(sent, all{1});
  EXPECT_FALSE(put(2));
}

RC_GTEST_PROP(ping_wait, whatever_happens_all_leaves_once_in_order_and_in_time, ()) {
  ping_wait wait;
  std::vector<std::pair<std::uint64_t, nanos>> put;  // the latest time for each
  std::uint64_t sent = 0;
  nanos now = 0;
  nanos promised = 0;
  int waited = 0;
  const auto send = [&](const wire::frame& f) { RC_ASSERT(f.front() == ++sent); };
  for (int steps = *rc::gen::inRange(1, 60); steps > 0; --steps) {
    const nanos before = now;
    now += *rc::gen::inRange<nanos>(0, second);
    // Whoever keeps it looks when it says.
    if (const auto until = wait.until(); until && *until <= now) wait.look(std::max(before, *until), send);
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        promised = *rc::gen::element<nanos>(0, second / 4, second, 4 * second);
        wait.pinged(now, promised, send);
        RC_ASSERT(sent == put.size());
        promised += now;
        break;
      default: {
        wire::frame f(*rc::gen::inRange<std::size_t>(1, 1'500), 0);
        f.front() = put.size() + 1;
        const bool may = *rc::gen::arbitrary<bool>();
        put.emplace_back(f.front(), now);
        const bool waits = wait.put(std::move(f), may, now, send);
        waited += waits ? 1 : 0;
        RC_ASSERT(waits == wait.until().has_value());
        RC_ASSERT(!waits || (may && now < promised + ping_wait::grace));
        RC_ASSERT(waits || sent == put.size());
      }
    }
    if (const auto until = wait.until()) RC_ASSERT(*until <= promised + ping_wait::grace);
  }
  RC_TAG(waited > 0 ? "some waited" : "none waited");
}

}  // namespace
}  // namespace tenure::agent
