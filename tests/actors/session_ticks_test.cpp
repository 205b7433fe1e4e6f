#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scheduler/test_coordinator.hpp>
#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "actors/protocol.hpp"
#include "actors/reminder.hpp"
#include "tests/actors/hand_made_agent.hpp"
#include "tests/actors/world.hpp"

// A node's regular look at agents of whom nothing comes.
namespace tenure::actors::testing {
namespace {

TEST(session_ticks, a_quiet_agent_is_pinged_regularly) {
  world w;
  w.start_node({});
  hand_made_agent agent(w, 5);
  w.settle();
  const auto before = agent.pings();
  w.advance(60 * second);
  EXPECT_GE(agent.pings() - before, 10U);
  EXPECT_LE(agent.pings() - before, 13U);
  EXPECT_FALSE(agent.closed());
}

/// Nine tenths as fast as the clock that timers go by.
struct slow_clock final : node_clock {
  nanos timers = 0;
  nanos now() const override { return 1000 * second + timers / 10 * 9; }
  nanos to_utc() const override { return 0; }
};

TEST(reminder, is_not_early_by_a_clock_that_runs_slower_than_timers_do) {
  deterministic_config config;
  caf::actor_system system(config);
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(system.scheduler());
  const auto clock = std::make_shared<slow_clock>();
  const nanos start = clock->now();
  const auto asks = system.spawn(reminder, clock);
  std::vector<nanos> reminded;
  const auto whom = system.spawn([&](caf::event_based_actor*) -> caf::behavior {
    return {[&](ask_atom) { reminded.push_back(clock->now()); }};
  });
  const auto ask = [&](nanos at) {
    caf::anon_send(asks, ask_atom_v, at, caf::actor_cast<caf::strong_actor_ptr>(whom));
    scheduler.run();
  };
  const std::vector<nanos> wanted{start + second, start + 3 * second};
  ask(wanted[1]);
  ask(wanted[0]);  // an earlier one, for which the timer is set anew
  for (; clock->timers < 5 * second; clock->timers += millisecond) {
    scheduler.advance_time(std::chrono::milliseconds{1});
    scheduler.run();
  }
  ASSERT_EQ(reminded.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_GE(reminded[i], wanted[i]);
    EXPECT_LT(reminded[i], wanted[i] + reminders<int>::step + 5 * millisecond);
  }
  caf::anon_send_exit(asks, caf::exit_reason::user_shutdown);
  caf::anon_send_exit(whom, caf::exit_reason::user_shutdown);
  scheduler.run();
}

}  // namespace
}  // namespace tenure::actors::testing
