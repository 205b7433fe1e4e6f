#include <algorithm>

#include "capnp/compression.hpp"
#include "tests/actors/session_by_hand.hpp"

namespace tenure::actors {
namespace {

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
  const auto done = durable(1);
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

// Rows are shorter than what they take when they are held: that much of the budget they have from the start,
// or all agents together could pass it.
TEST_F(session_protocol_test, packed_flows_take_as_much_of_the_budget_while_they_wait_as_when_they_are_held) {
  packs = true;
  begin();
  greet();
  auto full = with_flow(batch(1, 0, second), second);
  const flow first = full.flows.front();
  for (std::uint32_t i = 1; i < 500; ++i) {
    full.flows.push_back(first);
    full.flows.back().id.index = i;
    full.flows.back().connection = i;
  }
  ASSERT_LT(wire::encode_packed(full).size() * sizeof(std::uint64_t), 500 * 80U);
  ASSERT_TRUE(say(full, start));
  const auto promised = settings->budget->used() - 500 * 80;
  session->disconnected();
  EXPECT_EQ(settings->budget->used(), 0);
  greet();
  EXPECT_GE(promised, settings->budget->used())
      << "beyond the flows there was the promise that each has at first";
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

TEST_F(session_protocol_test, evidence_that_was_placed_is_under_way_until_what_it_lies_in_is_gone) {
  settings->budget = std::make_shared<shared_budget>(10'000);
  constexpr std::int64_t spent = 20'000;
  settings->budget->spend(spent);
  begin();
  greet();
  const auto credit_in = [](const session_reaction& r) {
    return std::any_of(r.send.begin(), r.send.end(),
                       [](const auto& m) { return std::holds_alternative<wire::credit>(m); });
  };
  ASSERT_TRUE(say(wire::pong{last_ping, 10 * second}, start));
  ASSERT_TRUE(say(batch(1, 11 * second, 12 * second), start + 2 * second));
  {
    const auto placed = say(wire::pong{last_ping, 12 * second}, start + 2 * second);
    ASSERT_TRUE(placed);
    ASSERT_EQ(placed->placed.size(), 1U);
    ASSERT_EQ(placed->placed[0].items.size(), 1U);
    EXPECT_FALSE(credit_in(*placed)) << "not in the same breath";
    EXPECT_FALSE(credit_in(session->renew_credit()));
    EXPECT_GT(settings->budget->used(), spent) << "for others it is taken too";
  }
  EXPECT_TRUE(credit_in(session->renew_credit())) << "one batch, since nothing is under way";
}

TEST_F(session_protocol_test, an_agent_that_passes_its_credit_by_more_than_a_batch_is_sent_away) {
  settings->budget = std::make_shared<shared_budget>(10'000);
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

TEST_F(session_protocol_test, nothing_but_a_batch_may_come_compressed) {
  begin();
  greet();
  // An answer to nothing, its only segment made long with zeros: a few bytes on the wire.
  auto large = wire::encode(wire::pong{77, start});
  large.resize(100'000);
  large[0] = std::uint64_t{large.size() - 1} << 32;
  const auto compressed = wire::compress(large);
  ASSERT_TRUE(compressed);
  session_reaction r;
  const auto done = session->receive(std::make_shared<const wire::frame>(*compressed), start, start, r);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().text, "compressed, and not a batch");
  EXPECT_EQ(counters->frames_refused, 1U);
  EXPECT_EQ(r.bytes, large.size() * sizeof(large[0])) << "as they are when they are not compressed";
}

// A single turn of the session has many of its batches: they spend the budget one by one.
TEST_F(session_protocol_test, an_agent_without_credit_fills_no_more_than_the_budget_in_one_turn) {
  settings->budget = std::make_shared<shared_budget>(1 << 20);
  packs = true;
  begin();
  const auto greeting = session->connected({.incarnation = 9, .agent = "a"}, start);
  for (const auto& s : greeting.send)
    if (const auto* p = std::get_if<wire::ping>(&s)) last_ping = p->id;
  ASSERT_TRUE(say(wire::pong{last_ping, start}, start));
  session_reaction r;
  std::uint64_t n = 0;
  while (n < 10'000) {
    auto b = batch(n + 1, 0, second);
    for (int i = 0; i < 100; ++i) b = with_flow(std::move(b), start - second);
    if (!receive(b, start, r)) break;
    ++n;
  }
  std::size_t placed = 0;
  for (const auto& p : r.placed) placed += flows_of(p).size();
  EXPECT_EQ(placed, n * 100);
  EXPECT_NEAR(static_cast<double>(placed) * held_flow_bytes, (1 << 20) * 4.0 / 5, 30'000);
}

TEST_F(session_protocol_test, an_agent_without_credit_is_sent_away_when_there_is_no_room) {
  settings->budget = std::make_shared<shared_budget>(0);
  begin();
  ASSERT_EQ(session->connected({.incarnation = 9, .agent = "a"}, start).send.size(), 2U);
  EXPECT_FALSE(say(batch(1, 0, second), start));
}

}  // namespace
}  // namespace tenure::actors
