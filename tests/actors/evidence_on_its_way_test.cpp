#include <algorithm>
#include <cstdint>

#include <gtest/gtest.h>

#include "tests/actors/hand_made_agent.hpp"
#include "tests/actors/world.hpp"

namespace tenure::actors::testing {
namespace {

constexpr std::uint32_t pieces = 2'000;

/// So many tenancies of an agent, from a second ago until now.
wire::batch of_evidence(nanos now) {
  wire::batch b;
  b.number = 1;
  b.workloads.push_back({"w", {}});
  for (std::uint32_t i = 1; i <= pieces; ++i) {
    const endpoint e{address::v4(0x0a01'0000U + i), 0};
    const tenancy_id id{0xa1, i};
    b.tenancies.push_back({id, e, workload_id{1}});
    b.evidence.push_back({e, id, workload_id{1}, now - second, now, 0, 0});
  }
  return b;
}

// A shard may merge more slowly than sessions read: what waits for it is memory that nobody may promise.
TEST(evidence_on_its_way, takes_of_the_budget_until_its_shard_has_it) {
  world w;
  node_settings settings;
  settings.hold.hold = second;
  w.start_node(settings);
  hand_made_agent agent(w, 0xa1);
  w.advance(second);
  constexpr std::int64_t all = pieces * sizeof(evidence);
  ASSERT_LT(w.running.budget->used(), all) << "or what is promised would hide it";
  agent.send(of_evidence(w.clock->now()));
  const auto& counters = *w.running.counters;
  std::uint64_t most = 0;
  for (int i = 0; i < 100; ++i) {
    w.pass(10 * millisecond);
    for (bool any = true; any;) {
      any = w.links->deliver();
      while (w.turn()) {
        any = true;
        const std::uint64_t waiting = counters.evidence_waiting;
        most = std::max(most, waiting);
        ASSERT_GE(w.running.budget->used(), static_cast<std::int64_t>(waiting * sizeof(evidence)));
      }
    }
  }
  EXPECT_EQ(most, pieces);
  EXPECT_EQ(counters.evidence_merged, pieces);
  EXPECT_EQ(counters.evidence_waiting, 0U);
  EXPECT_LT(w.running.budget->used(), all) << "it is there for others again";
}

// Evidence is acknowledged when it is placed, so nothing but credit keeps an agent from sending more.
TEST(evidence_on_its_way, stops_its_agent_when_its_shard_stands_still) {
  world w;
  node_settings settings;
  settings.hold.hold = second;
  settings.held_bytes = 8 << 20;
  w.start_node(settings);
  hand_made_agent agent(w, 0xa1);
  w.advance(second);
  const auto& counters = *w.running.counters;
  const auto play = [&](int tenths) {
    for (; tenths > 0; --tenths) {
      agent.seal(of_evidence(w.clock->now()));
      agent.send_what_may_go();
      w.advance(second / 10);
    }
  };
  w.stands_still = "shard";
  play(600);
  const auto stuck = agent.sent();
  EXPECT_GT(stuck, 10U) << "as long as there is room";
  EXPECT_EQ(counters.evidence_merged, 0U);
  EXPECT_LE(counters.evidence_waiting * sizeof(evidence), settings.held_bytes + pieces * sizeof(evidence));
  play(100);
  EXPECT_EQ(agent.sent(), stuck);
  EXPECT_FALSE(agent.closed()) << "it keeps to its credit";
  w.stands_still.clear();
  play(600);
  EXPECT_GT(agent.sent(), 1'000U) << "what it had kept meanwhile too";
  EXPECT_EQ(counters.evidence_waiting, 0U);
  EXPECT_EQ(counters.evidence_received, agent.sent() * pieces);
}

}  // namespace
}  // namespace tenure::actors::testing
