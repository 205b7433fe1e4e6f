#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "actors/session.hpp"
#include "tests/actors/hand_made_agent.hpp"
#include "tests/actors/world.hpp"

namespace tenure::actors::testing {
namespace {

// One that sends all that credit allows, beside ten that report as they go: these wait for nothing but the
// hold.
TEST(greedy_agent, gets_what_others_leave_and_delays_nobody) {
  world w;
  node_settings settings;
  settings.hold.hold = second;
  settings.held_bytes = 1 << 20;  // 13,000 flows of 80 bytes
  w.start_node(settings);
  hand_made_agent greedy(w, 0xbad);
  greedy.seal(4'000, 50);
  std::vector<std::unique_ptr<hand_made_agent>> modest;
  for (std::uint64_t i = 0; i < 10; ++i) modest.push_back(std::make_unique<hand_made_agent>(w, 0xa0 + i));
  for (int tenth = 0; tenth < 200; ++tenth) {
    greedy.send_what_may_go();
    for (auto& m : modest) {
      m->seal(1, 50);
      m->send_what_may_go();
    }
    w.advance(second / 10);
  }
  for (const auto& m : modest) {
    // Of the last batches three tenths of a second's may wait for what the next sync sets free.
    EXPECT_GE(m->sent(), 197U) << "there is credit for it all the time";
    // Each of the last two takes up to three steps of a tenth.
    EXPECT_GE(m->acknowledged() + 16, 200U) << "and nothing is older than the hold, a ping and a sync";
  }
  EXPECT_GT(greedy.acknowledged(), 400U) << "what is left over is his";
  EXPECT_LT(greedy.sent(), 4'000U) << "or he was not greedy";
  EXPECT_FALSE(greedy.closed());
}

// What it was promised of the budget is there for others again.
TEST(stalled_agent, is_cut_with_a_reason_and_holds_nothing_back) {
  world w;
  node_settings settings;
  settings.hold.hold = second;
  w.start_node(settings);
  hand_made_agent stalled(w, 0xbad);
  hand_made_agent other(w, 0xa1);
  w.advance(second);
  const auto promised = w.running.budget->used();
  stalled.stall();
  w.advance(29 * second);
  EXPECT_FALSE(stalled.closed()) << "a pause is no stall";
  w.advance(15 * second);
  EXPECT_TRUE(stalled.closed());
  EXPECT_EQ(stalled.goodbye(), "clock pings unanswered for too long");
  EXPECT_LT(w.running.budget->used(), promised);
  EXPECT_FALSE(other.closed());
}

// It sends faster than its session reads: nobody keeps that for it.
TEST(flooding_agent, is_cut_before_what_it_sent_is_read) {
  world w;
  w.start_node({});
  hand_made_agent flooding(w, 0xbad);
  hand_made_agent other(w, 0xa1);
  w.advance(second);
  constexpr std::size_t mib_of_words = (1U << 20) / sizeof(std::uint64_t);
  for (std::size_t mib = 0; mib <= max_inbox_bytes >> 20; ++mib)
    flooding.send_bytes(wire::frame(mib_of_words));
  while (w.links->deliver()) {
  }
  EXPECT_EQ(w.running.counters->sessions_flooding, 1U);
  EXPECT_EQ(w.running.counters->frames_refused, 0U) << "none was read";
  w.settle();
  EXPECT_TRUE(flooding.closed());
  EXPECT_EQ(flooding.goodbye(), "more was sent than credit allows");
  EXPECT_FALSE(other.closed());
}

}  // namespace
}  // namespace tenure::actors::testing
