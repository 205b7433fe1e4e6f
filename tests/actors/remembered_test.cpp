#include <gtest/gtest.h>

#include "actors/batch_ledger.hpp"
#include "tests/actors/hand_made_agent.hpp"
#include "tests/actors/world.hpp"

// For how long a node knows which batches of an agent it has written.
namespace tenure::actors::testing {
namespace {

/// A batch is written and acknowledged, its agent goes, and comes back after so long with the same batch.
/// @returns how many records there are of its flows
std::size_t records_after(nanos away) {
  world w;
  node_settings settings;
  settings.hold.hold = second;
  w.start_node(settings);
  hand_made_agent agent(w, 0xa1);
  w.advance(second);
  agent.seal(1, 50);
  agent.send_all();
  w.advance(5 * second);
  EXPECT_EQ(agent.acknowledged(), 1U);
  EXPECT_EQ(w.sink->written.size(), 50U);
  agent.leave();
  w.advance(away);
  hand_made_agent again(w, 0xa1);
  w.advance(second);
  again.seal(1, 50);
  again.send_all();
  w.advance(5 * second);
  EXPECT_EQ(again.acknowledged(), 1U) << "known or not, it is durable";
  return w.sink->written.size();
}

TEST(remembered, for_ten_minutes_a_repeat_is_not_written_again) {
  EXPECT_EQ(records_after(9 * minute), 50U);
}

// Memory of who has gone is bounded: then a repeat is a second copy, with the same flow ids.
TEST(remembered, not_for_eleven) {
  EXPECT_EQ(records_after(11 * minute), 100U);
}

// Its numbers have gaps, and room for what was seen is short.
TEST(remembered, as_many_runs_of_batches_as_there_is_room_for) {
  world w;
  node_settings settings;
  settings.hold.hold = second;
  settings.seen_bytes = 1;
  w.start_node(settings);
  hand_made_agent agent(w, 0xa1);
  w.advance(second);
  const auto send = [&](std::uint64_t number) {
    wire::batch b;
    b.number = number;
    agent.send(b);
    w.advance(10 * millisecond);
  };
  for (std::uint64_t n = 2; n <= 200; n += 2) send(n);
  const auto& counters = *w.running.counters;
  EXPECT_EQ(counters.batch_gaps, 99U);
  EXPECT_EQ(counters.batch_runs_forgotten, 100 - batch_ledger::limits{}.always);
  EXPECT_EQ(w.running.seen->used(),
            static_cast<std::int64_t>(batch_ledger::limits{}.always) * batch_ledger::run_bytes);
  agent.leave();
  w.advance(11 * minute);
  EXPECT_EQ(w.running.seen->used(), 0);
}

}  // namespace
}  // namespace tenure::actors::testing
