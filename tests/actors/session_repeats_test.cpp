#include "tests/actors/session_by_hand.hpp"

namespace tenure::actors {
namespace {

// An agent that comes back sends again what was not acknowledged.
struct repeats : session_protocol_test {
  void connect_again(nanos now) {
    session->disconnected();
    greet(now);
  }
  /// One flow in batch 1, placed, its lot on the way.
  void place_one() {
    begin();
    greet();
    ASSERT_TRUE(say(with_flow(batch(1, 0, second), second), start));
    const auto placed = say(wire::pong{last_ping, 2 * second}, start);
    ASSERT_TRUE(placed);
    ASSERT_EQ(placed->placed.size(), 1U);
  }
};

TEST_F(repeats, a_repeat_of_what_is_on_its_way_joins_it) {
  place_one();
  connect_again(start + second);
  const auto again = say(with_flow(batch(1, 0, second), second), start + second);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->placed.empty());
  EXPECT_TRUE(again->send.empty()) << "the first copy is not durable yet";
  EXPECT_EQ(counters->batches_repeated, 1U);
  EXPECT_EQ(counters->flows_held(), 1U);
  const auto done = durable(1);
  ASSERT_EQ(done.send.size(), 1U);
  EXPECT_EQ(std::get<wire::acknowledgement>(done.send[0]).batch, 1U);
}

TEST_F(repeats, a_repeat_of_what_is_durable_is_acknowledged_at_once) {
  place_one();
  session->disconnected();
  EXPECT_TRUE(durable(1).send.empty()) << "nobody is there to hear it";
  greet(start + second);
  const auto again = say(with_flow(batch(1, 0, second), second), start + second);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->placed.empty());
  ASSERT_EQ(again->send.size(), 1U);
  EXPECT_EQ(std::get<wire::acknowledgement>(again->send[0]).batch, 1U);
  EXPECT_EQ(counters->flows_received, 2U);
  EXPECT_EQ(counters->flows_repeated, 1U);
}

TEST_F(repeats, what_was_not_placed_before_the_connection_was_lost_counts_as_new) {
  begin();
  greet();
  ASSERT_TRUE(say(with_flow(batch(1, 0, second), second), start));
  connect_again(start + second);
  ASSERT_TRUE(say(with_flow(batch(1, 0, second), second), start + second));
  const auto placed = say(wire::pong{last_ping, 2 * second}, start + second);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->placed.size(), 1U);
  EXPECT_EQ(counters->batches_repeated, 0U);
  EXPECT_EQ(counters->flows_dropped, 1U);
  EXPECT_EQ(counters->flows_held(), 1U);
}

TEST_F(repeats, brackets_from_before_give_the_stamps_their_clock) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  connect_again(start + 20 * second);
  // Observed while there was no connection.
  ASSERT_TRUE(say(with_flow(batch(1, 12 * second, 20 * second), 20 * second), start + 20 * second));
  const auto placed = say(wire::pong{last_ping, 30 * second}, start + 20 * second);
  ASSERT_TRUE(placed);
  ASSERT_EQ(placed->placed.size(), 1U);
  EXPECT_EQ(counters->evidence_refused, 0U);
  EXPECT_LT(flows_of(placed->placed[0]).at(0).times.error, 10 * millisecond);
}

TEST_F(repeats, what_is_older_than_the_last_reading_is_placed_without_a_ping) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  const auto ping = last_ping;
  const auto placed = say(batch(1, second, 9 * second), start + second);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->placed.size(), 1U);
  EXPECT_EQ(last_ping, ping);
}

TEST_F(repeats, a_gap_in_the_numbers_is_taken_and_counted_once) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  const auto gaps_after = [&](std::uint64_t number) {
    EXPECT_TRUE(say(batch(number, second, 9 * second), start + second)) << number;
    return counters->batch_gaps.load();
  };
  EXPECT_EQ(gaps_after(7), 0U) << "where an agent begins is its own affair";
  EXPECT_EQ(gaps_after(8), 0U);
  EXPECT_EQ(gaps_after(20), 1U) << "one, however many numbers it is of";
  connect_again(start + second);
  for (const std::uint64_t again : {8, 20, 21}) EXPECT_EQ(gaps_after(again), 1U) << "what is said again";
  connect_again(start + second);
  EXPECT_EQ(gaps_after(23), 2U) << "given up while it was away";
  EXPECT_EQ(gaps_after(~std::uint64_t{0}), 3U);
  connect_again(start + second);
  EXPECT_EQ(gaps_after(1), 3U);
}

TEST_F(repeats, what_came_and_was_never_placed_leaves_a_gap) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  ASSERT_TRUE(say(batch(1, second, 9 * second), start));
  ASSERT_TRUE(say(batch(2, second, 20 * second), start)) << "it waits for a clock reading";
  connect_again(start + second);
  ASSERT_TRUE(say(batch(3, second, 9 * second), start + second)) << "the agent has given the second up";
  EXPECT_EQ(counters->batch_gaps, 1U);
}

TEST_F(repeats, runs_of_batches_that_there_is_no_room_for_are_forgotten_and_counted) {
  settings->seen = std::make_shared<shared_budget>(0);
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  constexpr std::uint64_t last = 2 * (batch_ledger::limits{}.always + 3);
  for (std::uint64_t n = 2; n <= last; n += 2) {
    ASSERT_TRUE(say(with_flow(batch(n, second, 9 * second), 9 * second), start));
    durable(n);
  }
  EXPECT_EQ(counters->batch_runs_forgotten, 3U);
  connect_again(start + second);
  ASSERT_TRUE(say(with_flow(batch(6, second, 9 * second), 9 * second), start));
  EXPECT_EQ(counters->batches_repeated, 0U) << "taken as new";
  ASSERT_TRUE(say(with_flow(batch(8, second, 9 * second), 9 * second), start));
  EXPECT_EQ(counters->batches_repeated, 1U);
}

TEST_F(repeats, a_burst_of_batches_causes_one_ping) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  const auto first = last_ping;
  for (std::uint64_t n = 1; n <= 2'000; ++n)
    ASSERT_TRUE(say(batch(n, 11 * second, 12 * second), start + second));
  EXPECT_EQ(last_ping, first + 1);
}

TEST_F(repeats, many_pings_push_no_old_bracket_out) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  connect_again(start + 100 * second);
  nanos now = start + 100 * second;
  for (std::uint64_t n = 1; n <= 1'000; ++n) {
    now += 100 * millisecond;
    const nanos stamp = now - start + 10 * second;
    ASSERT_TRUE(say(batch(n, 11 * second, stamp), now));
    ASSERT_TRUE(say(wire::pong{last_ping, stamp}, now));
  }
  EXPECT_GE(counters->brackets, 1U + 100'000 / 300) << "a ping each 300 ms, in the long run";
  EXPECT_EQ(counters->evidence_refused, 0U) << "each began right after the first bracket";
}

TEST_F(repeats, batches_of_an_agent_that_never_stops_share_pings) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  nanos now = start;
  std::optional<nanos> ask_at;
  std::size_t placed = 0;
  for (std::uint64_t n = 1; n <= 2'000; ++n) {
    now += millisecond;
    const nanos stamp = now - start + 10 * second;
    const auto answered = last_ping;
    const auto taken = say(batch(n, 9 * second, stamp), now);
    ASSERT_TRUE(taken);
    ask_at = taken->ask_at;
    if (last_ping == answered) continue;
    const auto bracketed = say(wire::pong{last_ping, stamp}, now);
    ASSERT_TRUE(bracketed);
    placed += bracketed->placed.size();
  }
  EXPECT_LE(counters->brackets, 1U + 10 + 20 + 1);
  EXPECT_GE(placed, 1'700U) << "all but those since the last ping, at most 300 ms ago";
  ASSERT_TRUE(ask_at);
  EXPECT_TRUE(session->ask(*ask_at - 1).send.empty());
  EXPECT_EQ(session->ask(*ask_at).send.size(), 1U);
}

struct runs : session_protocol_test {
  /// Batches with these numbers, of a flow each, made durable in this order. @returns what the agent hears
  std::vector<wire::acknowledgement> acknowledge(bool knows_runs, const std::vector<std::uint64_t>& numbers) {
    begin();
    session->connected({.incarnation = 9, .agent = "a", .runs = knows_runs}, start);
    for (std::uint64_t n = 1; n <= 9; ++n) EXPECT_TRUE(say(with_flow(batch(n, 0, second), second), start));
    EXPECT_TRUE(say(wire::pong{1, 2 * second}, start));
    for (const auto n : numbers) session->durable(n, {1}, 0);
    const auto r = session->after_durable(start);
    std::vector<wire::acknowledgement> out;
    for (const auto& m : r.send) out.push_back(std::get<wire::acknowledgement>(m));
    return out;
  }
};

TEST_F(runs, of_batches_are_acknowledged_at_once) {
  using all = std::vector<wire::acknowledgement>;
  EXPECT_EQ(acknowledge(true, {1, 2, 3, 5, 6, 9}), (all{{1, 3}, {5, 6}, {9}}));
  EXPECT_EQ(acknowledge(true, {2, 1, 3}), (all{{2}, {1}, {3}})) << "out of order they are no run";
  EXPECT_EQ(acknowledge(false, {1, 2}), (all{{1}, {2}})) << "an agent that does not know runs";
}

}  // namespace
}  // namespace tenure::actors
