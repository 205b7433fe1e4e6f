#include "actors/session_protocol.hpp"

#include <gtest/gtest.h>

namespace tenure::actors {
namespace {

constexpr nanos start = 100 * second;

/// The agent's side, by hand: its clock runs `offset` ahead of the node's.
struct session_protocol_test : ::testing::Test {
  std::shared_ptr<session_settings> settings = std::make_shared<session_settings>();
  std::shared_ptr<workload_table> workloads = std::make_shared<workload_table>();
  std::shared_ptr<node_counters> counters = std::make_shared<node_counters>();
  std::unique_ptr<session_protocol> session;
  std::uint64_t last_ping = 0;

  void begin() { session = std::make_unique<session_protocol>(settings, workloads, counters); }

  outcome<session_reaction> say(const wire::message& m, nanos now) {
    session_reaction r;
    if (auto done = receive(m, now, r); !done) return tl::unexpected(done.error());
    session->renew_credit(r);
    for (const auto& s : r.send)
      if (const auto* p = std::get_if<wire::ping>(&s)) last_ping = p->id;
    return r;
  }
  outcome<void> receive(const wire::message& m, nanos now, session_reaction& r) {
    return session->receive(std::make_shared<const wire::frame>(wire::encode(m)), now, now, r);
  }

  session_reaction greet(nanos now = start) {
    auto r = session->connected({.incarnation = 9, .agent = "a", .credit = true}, now);
    for (const auto& s : r.send)
      if (const auto* p = std::get_if<wire::ping>(&s)) last_ping = p->id;
    return r;
  }

  wire::batch batch(std::uint64_t number, nanos from, nanos until) {
    wire::batch b;
    b.number = number;
    b.workloads.push_back({"checkout", {}});
    const tenancy_id id{9, 1};
    const endpoint where{*address::parse("10.0.0.1"), 0};
    b.tenancies.push_back({id, where, workload_id{1}});
    b.evidence.push_back({where, id, workload_id{1}, from, until, 0, 0});
    return b;
  }

  static std::vector<flow> flows_of(const placed_batch& placed) {
    std::vector<flow> out;
    for (const auto& rows : placed.flows) {
      // The cursor reads beyond the last row, within its slack.
      std::vector<std::byte> bytes(rows.bytes().begin(), rows.bytes().end());
      bytes.resize(bytes.size() + hold::row_slack);
      hold::row_cursor at(rows.base(), bytes.data());
      for (std::uint32_t n = 0; n < rows.count(); ++n) at.next(out.emplace_back());
    }
    return out;
  }

  static wire::batch with_flow(wire::batch b, nanos closed) {
    flow f;
    f.id = {9, b.number, 0};
    f.near_address = *address::parse("10.0.0.1");
    f.far_address = *address::parse("10.0.0.2");
    f.near_port = 1;
    f.far_port = 2;
    f.near_tenancy = {9, 1};
    f.near_workload = workload_id{1};
    f.times = {closed - second, closed - second, closed, closed, 0, 0, true};
    b.flows.push_back(f);
    return b;
  }
};

TEST_F(session_protocol_test, greets_with_welcome_and_first_ping) {
  begin();
  const auto r = greet();
  ASSERT_EQ(r.send.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<wire::credit>(r.send[2]));
  EXPECT_TRUE(std::holds_alternative<wire::welcome>(r.send[0]));
  EXPECT_TRUE(std::holds_alternative<wire::ping>(r.send[1]));
  EXPECT_EQ(session->agent(), "a");
}

TEST_F(session_protocol_test, refuses_a_second_hello) {
  begin();
  greet();
  EXPECT_FALSE(say(wire::hello{.incarnation = 9, .agent = "a", .credit = true}, start));
  EXPECT_EQ(counters->frames_refused, 1U);
}

TEST_F(session_protocol_test, places_a_batch_only_when_a_reading_after_it_exists) {
  begin();
  greet(start - 2 * millisecond);
  const auto first = last_ping;
  // The agent's clock shows 400 s more. Its batch ends a millisecond before 500 s of it: the first pong was
  // read before that, though it came after the batch.
  ASSERT_TRUE(say(batch(1, 400 * second, 499'999 * millisecond), start));
  const auto early = say(wire::pong{first, 499'998 * millisecond}, start + millisecond);
  ASSERT_TRUE(early);
  EXPECT_TRUE(early->placed.empty());
  const auto late = say(wire::pong{last_ping, 500 * second}, start + 2 * millisecond);
  ASSERT_TRUE(late);
  ASSERT_EQ(late->placed.size(), 1U);
  // Each reading was between two and three milliseconds on its way: that is how well the offset is known.
  const auto& e = late->placed[0].items.at(0);
  EXPECT_NEAR(static_cast<double>(e.until), static_cast<double>(start - millisecond), 2e6);
  EXPECT_GE(e.until_error, millisecond);
  EXPECT_LE(e.until_error, 3 * millisecond);
  EXPECT_GT(e.from_error, e.until_error) << "an older stamp is less sure";
  EXPECT_EQ(workloads->name(e.workload), "checkout");
}

TEST_F(session_protocol_test, acknowledges_when_every_flow_is_durable) {
  begin();
  greet();
  ASSERT_TRUE(say(with_flow(batch(1, 0, second), second), start));
  auto placed = say(wire::pong{last_ping, 2 * second}, start);
  ASSERT_TRUE(placed);
  EXPECT_TRUE(placed->send.empty());
  ASSERT_EQ(flows_of(placed->placed.at(0)).size(), 1U);
  const auto done = session->durable(1, {1});
  ASSERT_EQ(done.send.size(), 1U);
  EXPECT_EQ(std::get<wire::acknowledgement>(done.send[0]).batch, 1U);
}

TEST_F(session_protocol_test, acknowledges_evidence_alone_at_once) {
  begin();
  greet();
  ASSERT_TRUE(say(batch(1, 0, second), start));
  const auto placed = say(wire::pong{last_ping, 2 * second}, start);
  ASSERT_TRUE(placed);
  ASSERT_EQ(placed->send.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<wire::acknowledgement>(placed->send[0]));
}

TEST_F(session_protocol_test, refuses_numbers_that_do_not_increase) {
  begin();
  greet();
  ASSERT_TRUE(say(batch(2, 0, second), start));
  EXPECT_FALSE(say(batch(2, 0, second), start));
  EXPECT_EQ(counters->batches_refused, 1U);
}

TEST_F(session_protocol_test, bounds_what_waits_for_a_reading) {
  const auto one = wire::encode(wire::message{batch(1, 0, second)}).size() * sizeof(std::uint64_t);
  settings->max_waiting_bytes = 3 * one;
  begin();
  greet();
  for (std::uint64_t i = 1; i <= 3; ++i) ASSERT_TRUE(say(batch(i, 0, time_max / 2), start));
  EXPECT_FALSE(say(batch(4, 0, second), start));
}

TEST_F(session_protocol_test, what_an_agent_retained_for_long_is_taken_at_once) {
  begin();
  greet();
  for (std::uint64_t i = 1; i <= 1000; ++i)
    ASSERT_TRUE(say(batch(i, 0, static_cast<nanos>(i) * millisecond), start));
}

// A guest that stood still before it came back here: all brackets are younger than the pause.
TEST_F(session_protocol_test, stamps_without_a_bracket_before_them_prove_nothing_about_how_early_they_were) {
  begin();
  greet();
  ASSERT_TRUE(say(with_flow(batch(1, 10 * second, 20 * second), 20 * second), start));
  const auto placed = say(wire::pong{last_ping, 30 * second}, start);
  ASSERT_TRUE(placed);
  EXPECT_TRUE(placed->placed.at(0).items.empty());
  EXPECT_EQ(counters->evidence_refused, 1U);
  EXPECT_EQ(flows_of(placed->placed.at(0)).at(0).times.error, unknown_error);
  EXPECT_EQ(flows_of(placed->placed.at(0)).at(0).times.opened, time_min);
}

TEST_F(session_protocol_test, stamps_from_the_agents_own_future_end_the_session_at_once) {
  begin();
  greet();
  const auto before = last_ping;
  ASSERT_TRUE(say(with_flow(batch(1, 0, time_max / 2), second), start));
  // This pong may have been read before the batch was sealed; the next one was not.
  ASSERT_TRUE(say(wire::pong{before, 2 * second}, start + second));
  ASSERT_NE(last_ping, before);
  EXPECT_FALSE(say(wire::pong{last_ping, 3 * second}, start + 2 * second));
  EXPECT_EQ(counters->batches_refused, 1U);
  session->disconnected();
  EXPECT_EQ(counters->batches_abandoned, 1U);
  EXPECT_EQ(counters->flows_dropped, 1U);
  EXPECT_EQ(counters->flows_held(), 0U);
}

TEST_F(session_protocol_test, what_was_placed_before_a_refusal_is_not_lost) {
  begin();
  greet();
  const auto before = last_ping;
  ASSERT_TRUE(say(with_flow(batch(1, 0, second), 2 * second), start));
  ASSERT_TRUE(say(with_flow(batch(2, 0, time_max / 2), 2 * second), start));
  ASSERT_TRUE(say(wire::pong{before, second}, start + second));
  session_reaction r;
  EXPECT_FALSE(receive(wire::pong{last_ping, 3 * second}, start + 2 * second, r)) << "of batch 2's stamps";
  ASSERT_EQ(r.placed.size(), 1U);
  EXPECT_EQ(flows_of(r.placed[0]).size(), 1U);
  session->disconnected();
  EXPECT_EQ(session->flows().held, 1U);
}

TEST_F(session_protocol_test, an_agent_that_answers_no_ping_is_sent_away) {
  begin();
  greet();
  ASSERT_TRUE(say(with_flow(batch(1, 0, second), second), start));
  EXPECT_TRUE(session->tick(start + 10 * second));
  EXPECT_FALSE(session->tick(start + 31 * second));
}

TEST_F(session_protocol_test, pongs_that_prove_nothing_are_counted_and_used_for_nothing) {
  begin();
  greet();
  ASSERT_TRUE(say(wire::pong{last_ping, 50 * second}, start));
  ASSERT_TRUE(say(wire::pong{77, 60 * second}, start));
  EXPECT_EQ(counters->brackets, 1U);
  EXPECT_EQ(counters->brackets_refused, 1U);
}

TEST_F(session_protocol_test, evidence_outside_the_routable_cidrs_is_refused_and_counted) {
  settings->routable = prefix_set{{*prefix::parse("192.168.0.0/16")}};
  begin();
  greet();
  ASSERT_TRUE(say(batch(1, 0, second), start));
  const auto placed = say(wire::pong{last_ping, 2 * second}, start);
  ASSERT_TRUE(placed);
  EXPECT_TRUE(placed->placed.at(0).items.empty());
  EXPECT_EQ(counters->evidence_refused, 1U);
}

TEST_F(session_protocol_test, an_agent_that_passes_its_credit_by_more_than_a_batch_is_sent_away) {
  settings->budget = std::make_shared<held_budget>(10'000);
  begin();
  greet();
  std::uint64_t n = 0;
  while (n < 1'000 && say(with_flow(batch(n + 1, 0, second), second), start)) ++n;
  EXPECT_LT(n, 1'000U);
  EXPECT_GT(n, 1U);
  EXPECT_EQ(counters->batches_refused, 1U);
  session->disconnected();
  EXPECT_EQ(session->flows().dropped, n + 1);
  EXPECT_TRUE(session->flows().balances());
  EXPECT_EQ(settings->budget->used(), 0);
}

TEST_F(session_protocol_test, an_agent_without_credit_is_sent_away_when_there_is_no_room) {
  settings->budget = std::make_shared<held_budget>(0);
  begin();
  ASSERT_EQ(session->connected({.incarnation = 9, .agent = "a"}, start).send.size(), 2U);
  EXPECT_FALSE(say(batch(1, 0, second), start));
}

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
  const auto done = session->durable(1, {1});
  ASSERT_EQ(done.send.size(), 1U);
  EXPECT_EQ(std::get<wire::acknowledgement>(done.send[0]).batch, 1U);
}

TEST_F(repeats, a_repeat_of_what_is_durable_is_acknowledged_at_once) {
  place_one();
  session->disconnected();
  EXPECT_TRUE(session->durable(1, {1}).send.empty()) << "nobody is there to hear it";
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
  // By then something that is said anyway may have taken it along, though no earlier than it may go out.
  EXPECT_TRUE(session->ask(*ask_at - 61 * millisecond).send.empty());
  EXPECT_EQ(session->ask(*ask_at).send.size(), 1U);
}

struct runs : session_protocol_test {
  /// Batches with these numbers, of a flow each, made durable in this order. @returns what the agent hears
  std::vector<wire::acknowledgement> acknowledge(bool knows_runs, const std::vector<std::uint64_t>& numbers) {
    begin();
    session->connected({.incarnation = 9, .agent = "a", .runs = knows_runs}, start);
    for (std::uint64_t n = 1; n <= 9; ++n) EXPECT_TRUE(say(with_flow(batch(n, 0, second), second), start));
    EXPECT_TRUE(say(wire::pong{1, 2 * second}, start));
    session_reaction r;
    for (const auto n : numbers) session->durable(n, {1}, 0, r);
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
