#include <algorithm>
#include <utility>

#include "tests/actors/path.hpp"

// No node for long: what agents do meanwhile, and afterwards.
namespace tenure::actors::testing {
namespace {

TEST_F(path, after_an_hour_without_a_node_every_flow_comes_and_none_is_named_wrongly) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(20 * second);
  w.links->reachable = false;
  w.links->cut();
  for (int minutes = 0; minutes < 60; ++minutes) {
    w.advance(60 * second);
    observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 20 * second)});
  }
  w.links->reachable = true;
  w.advance(120 * second);
  ASSERT_EQ(w.sink->written.size(), 60U);
  for (const auto& r : w.sink->written) {
    EXPECT_EQ(r.near, "gateway");
    EXPECT_EQ(r.far, "checkout") << "by then the node has forgotten the agent's clock, and is told of it";
  }
  EXPECT_EQ(w.exported->flows_dropped, 0U);
}

TEST_F(path, what_a_killed_node_had_not_resolved_the_next_one_names_all_the_same) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  for (int minutes = 0; minutes < 3; ++minutes) {
    w.advance(60 * second);
    observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 20 * second)});
  }
  w.advance(10 * second);  // what is written is acknowledged too
  const std::size_t resolved = w.sink->written.size();
  w.links->cut();
  w.sink = std::make_shared<memory_sink>();  // what the first one held comes nowhere
  caf::anon_send(std::exchange(w.running, {}).root, stop_atom_v);
  begin_node({.hold = 60 * second});
  w.advance(120 * second);
  ASSERT_EQ(w.sink->written.size(), 3 - resolved);
  ASSERT_LT(resolved, 3U);
  for (const auto& r : w.sink->written) EXPECT_EQ(r.far, "checkout") << to_string(r.reason);
}

TEST_F(path, agents_that_lost_their_node_do_not_come_back_in_a_herd) {
  begin();
  constexpr std::size_t many = 60;
  for (std::uint64_t i = 1; i < many; ++i) {
    auto settings = agent_settings();
    settings.incarnation = incarnation + i;
    w.start_agent(settings);
  }
  w.advance(second);
  w.links->reachable = false;
  w.links->cut();
  w.advance(30 * second);
  // By now each waits between two and a half and five seconds: evenly spread, two come in a tenth of one.
  std::size_t most = 0;
  const std::size_t before = w.links->dials;
  for (int tenths = 0; tenths < 100; ++tenths) {
    const std::size_t so_far = w.links->dials;
    w.advance(second / 10);
    most = std::max(most, w.links->dials - so_far);
  }
  EXPECT_LE(most, many / 6);
  EXPECT_GE(w.links->dials - before, 2 * many);
}

}  // namespace
}  // namespace tenure::actors::testing
