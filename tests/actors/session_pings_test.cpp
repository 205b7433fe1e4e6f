#include "actors/session_pings.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/hold_queue.hpp"
#include "tests/actors/session_by_hand.hpp"

namespace tenure::actors {
namespace {

using waiting = session_pings::waiting;
constexpr nanos longest = second;

/// Pings alone, of an agent that waits.
struct pings : ::testing::Test {
  session_pings p{longest};
  nanos now = start;

  pings() { p.connected(true); }
  /// A ping that is due now, and answered. @returns the promise with it
  nanos asked(waiting w = waiting::flows) {
    EXPECT_LE(p.due(w).value_or(time_max), now);
    const auto q = p.ask_due(now);
    EXPECT_TRUE(p.answered(q.id));
    return q.promised;
  }
};

TEST_F(pings, are_promised_for_a_sixteenth_of_the_hold_or_two_seconds) {
  EXPECT_EQ(longest_promise({.hold = 60 * second}), 2 * second);
  EXPECT_EQ(longest_promise({.hold = 16 * second, .longest = 60 * second}), second);
  EXPECT_EQ(longest_promise({.hold = 16 * session_pings::pace}), session_pings::pace);
  EXPECT_EQ(longest_promise({.hold = 16 * session_pings::pace - 16}), 0)
      << "pings are not nearer to each other";
  EXPECT_EQ(longest_promise({.hold = 60 * second, .when = release::early}), 0);
}

TEST_F(pings, promise_the_next_one_where_flows_come) {
  EXPECT_EQ(p.ask(now).promised, 0) << "nothing came";
  EXPECT_EQ(p.next_look(waiting::flows), std::nullopt) << "one at a time";
  EXPECT_TRUE(p.answered(1));
  p.came(50);
  now += second;
  EXPECT_EQ(asked(), longest);
  EXPECT_EQ(p.due(waiting::nothing), now + longest);
}

TEST_F(pings, promise_an_earlier_one_where_flows_come_fast) {
  now += second;
  EXPECT_TRUE(p.answered(p.ask(now).id));
  p.came(2 * session_pings::enough_flows);
  now += second;
  EXPECT_EQ(asked(), second / 2);
  p.came(100 * session_pings::enough_flows);
  now += second;
  EXPECT_EQ(asked(), session_pings::pace) << "no faster than this";
}

TEST_F(pings, that_bring_few_flows_once_are_not_promised_much_further_apart) {
  now += second;
  EXPECT_TRUE(p.answered(p.ask(now).id));
  p.came(4 * session_pings::enough_flows);
  now += session_pings::pace;
  EXPECT_EQ(asked(), session_pings::pace);
  p.came(session_pings::enough_flows * 3 / 4);
  now += session_pings::pace;
  EXPECT_EQ(asked(), session_pings::pace * 4 / 3);
}

TEST_F(pings, that_bring_no_flows_twice_promise_nothing) {
  p.came(1);
  EXPECT_EQ(asked(), longest);
  now += longest;
  EXPECT_EQ(asked(), longest) << "what waited for this one is still to come";
  now += longest;
  EXPECT_EQ(asked(), 0);
  now += longest;
  p.came(1);
  EXPECT_EQ(asked(), longest);
}

TEST_F(pings, that_were_promised_are_what_flows_wait_for_unless_there_are_many) {
  p.came(1);
  EXPECT_EQ(asked(), longest);
  EXPECT_EQ(p.due(waiting::flows), now + longest);
  p.came(session_pings::enough_flows);
  EXPECT_LT(p.due(waiting::flows), now + longest);
}

TEST_F(pings, for_evidence_come_at_once_and_leave_the_promise_as_it_is) {
  p.came(1);
  EXPECT_EQ(asked(), longest);
  EXPECT_LE(p.due(waiting::evidence), now);
  now += second / 4;
  EXPECT_EQ(asked(waiting::evidence), longest);
  now += longest;
  EXPECT_EQ(asked(), longest) << "it was not the one that flows waited for";
}

TEST_F(pings, promise_nothing_to_an_agent_that_does_not_wait_nor_after_the_end) {
  session_pings other(longest);
  other.connected(false);
  other.came(1);
  EXPECT_EQ(other.ask(now).promised, 0);
  p.came(1);
  EXPECT_EQ(asked(), longest);
  p.promise_nothing();
  EXPECT_FALSE(p.promised());
  p.came(1);
  EXPECT_EQ(asked(), 0);
}

TEST_F(pings, are_forgotten_with_their_promises_when_the_connection_is_lost) {
  p.came(1);
  const auto q = p.ask(now);
  EXPECT_EQ(q.promised, longest);
  p.disconnected();
  EXPECT_FALSE(p.promised());
  EXPECT_FALSE(p.answered(q.id));
  p.connected(true);
  EXPECT_EQ(p.ask(now).promised, 0);
}

RC_GTEST_PROP(session_pings, a_promise_is_kept_and_no_two_are_asked_at_once, ()) {
  session_pings p(longest);
  p.connected(true);
  nanos now = start;
  std::optional<nanos> promised;
  std::uint64_t open = 0;
  const auto asks = [&](const session_pings::question& q) {
    RC_ASSERT(open == 0U);
    RC_ASSERT(q.promised == 0 || (q.promised >= session_pings::pace && q.promised <= longest));
    open = q.id;
    promised.reset();
    if (q.promised > 0) promised = now + q.promised;
  };
  for (int steps = *rc::gen::inRange(1, 80); steps > 0; --steps) {
    const auto w = *rc::gen::element(waiting::nothing, waiting::flows, waiting::evidence);
    // Time passes, no further than to when there is something to do.
    const nanos then = now + *rc::gen::inRange<nanos>(0, second);
    now = std::clamp(p.next_look(w).value_or(then), now, then);
    p.look(now);
    if (const auto due = p.due(w); due && *due <= now)
      asks(p.ask_due(now));
    else if (open == 0 && promised)
      RC_ASSERT(now < *promised);
    if (p.promised()) RC_ASSERT(p.next_look(w).has_value());
    switch (*rc::gen::inRange(0, 3)) {
      case 0:
        p.came(*rc::gen::inRange<std::size_t>(0, 2'000));
        break;
      case 1:
        if (open != 0) RC_ASSERT(p.answered(open).has_value());
        open = 0;
        break;
      default:
        break;
    }
  }
}

/// The node's answers around them.
struct promised_pings : session_protocol_test {
  nanos now = start;

  promised_pings() {
    settings->longest_promise = longest;
    begin();
    connect(true);
  }

  void connect(bool waits) {
    const auto r = session->connected(
        {.incarnation = 9, .agent = "a", .credit = true, .runs = true, .waits = waits}, now);
    for (const auto& m : r.send)
      if (const auto* p = std::get_if<wire::ping>(&m)) last_ping = p->id;
    EXPECT_TRUE(answers());
  }
  // The agent's clock, as far as stamps may have come.
  nanos reading() const { return now - start + 10 * second; }
  outcome<session_reaction> answers() { return say(wire::pong{last_ping, reading()}, now); }
  /// A batch of a flow.
  outcome<session_reaction> sends(std::uint64_t number) {
    auto b = with_flow(batch(number, 9 * second, reading()), reading());
    b.evidence.clear();
    return say(b, now);
  }
  /// One that comes alone, is asked for and placed. @returns what was promised with the ping
  nanos comes_alone(std::uint64_t number) {
    now += 4 * millisecond;  // or it would be placed by the last answer; and no sooner than it is to be rare
    const auto taken = sends(number);
    EXPECT_TRUE(taken);
    const auto next = promise_in(*taken);
    EXPECT_TRUE(answers());
    return next;
  }
  static nanos promise_in(const session_reaction& r) {
    for (const auto& m : r.send)
      if (const auto* p = std::get_if<wire::ping>(&m)) return p->next_ms * millisecond;
    ADD_FAILURE() << "no ping";
    return 0;
  }
  /// Both ends of the only acknowledgement, or 0 and 0.
  static std::pair<std::uint64_t, std::uint64_t> acknowledged_in(const session_reaction& r) {
    for (const auto& m : r.send)
      if (const auto* a = std::get_if<wire::acknowledgement>(&m)) return {a->batch, a->last()};
    return {0, 0};
  }
  using ends = std::pair<std::uint64_t, std::uint64_t>;
};

TEST_F(promised_pings, flows_behind_the_answer_are_placed_at_once) {
  EXPECT_EQ(comes_alone(1), longest);
  now += longest;
  const auto asked = session->ask(now);
  EXPECT_EQ(promise_in(asked), longest);
  last_ping = std::get<wire::ping>(asked.send.front()).id;
  ASSERT_TRUE(answers());
  const auto before = last_ping;
  for (std::uint64_t n = 2; n < 5; ++n) {
    const auto taken = sends(n);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->placed.size(), 1U);
    EXPECT_EQ(taken->ask_at, now + longest);
  }
  EXPECT_EQ(last_ping, before) << "nothing more is asked";
}

TEST_F(promised_pings, acknowledgements_go_along_with_them) {
  comes_alone(1);
  ASSERT_TRUE(sends(2));
  const auto quiet = durable(1, now);
  EXPECT_TRUE(quiet.send.empty());
  EXPECT_EQ(quiet.ask_at, now + longest);
  EXPECT_TRUE(durable(2, now + 1).send.empty());
  now += longest;
  const auto r = session->ask(now);
  EXPECT_EQ(acknowledged_in(r), ends(1, 2));
  EXPECT_EQ(r.send.size(), 2U);
}

TEST_F(promised_pings, acknowledgements_go_along_with_what_is_said_before) {
  comes_alone(1);
  EXPECT_TRUE(durable(1, now).send.empty());
  now += millisecond;
  // Evidence asks at once.
  auto r = say(batch(2, 9 * second, reading()), now);
  ASSERT_TRUE(r);
  session->ask(now, *r);
  EXPECT_EQ(acknowledged_in(*r), ends(1, 1));
}

TEST_F(promised_pings, acknowledgements_do_not_wait_for_a_silent_agent) {
  comes_alone(1);
  ASSERT_TRUE(sends(2));
  now += longest;
  EXPECT_EQ(session->ask(now).send.size(), 1U) << "a ping, which is not answered";
  const auto quiet = durable(1, now);
  EXPECT_TRUE(quiet.send.empty());
  ASSERT_TRUE(quiet.ask_at);
  now = *quiet.ask_at;
  EXPECT_EQ(acknowledged_in(session->ask(now)), ends(1, 1));
  EXPECT_EQ(acknowledged_in(durable(2, now)), ends(2, 2)) << "nothing is promised now";
}

TEST_F(promised_pings, an_agent_that_does_not_wait_hears_of_everything_at_once) {
  session->disconnected();
  connect(false);
  EXPECT_EQ(comes_alone(1), 0);
  EXPECT_EQ(acknowledged_in(durable(1, now)), ends(1, 1));
}

TEST_F(promised_pings, at_the_end_all_is_said_and_nothing_promised) {
  comes_alone(1);
  ASSERT_TRUE(sends(2));
  EXPECT_TRUE(durable(1, now).send.empty());
  EXPECT_EQ(acknowledged_in(session->promise_nothing(now)), ends(1, 1));
  EXPECT_EQ(acknowledged_in(durable(2, now)), ends(2, 2));
  EXPECT_EQ(comes_alone(3), 0);
}

TEST_F(promised_pings, what_waited_is_not_said_over_another_connection) {
  comes_alone(1);
  EXPECT_TRUE(durable(1, now).send.empty());
  session->disconnected();
  connect(true);
  EXPECT_EQ(acknowledged_in(session->ask(now)), ends(0, 0)) << "the agent asks by sending it again";
  const auto again = sends(1);
  ASSERT_TRUE(again);
  EXPECT_EQ(acknowledged_in(*again), ends(1, 1));
}

TEST_F(promised_pings, the_regular_one_is_left_out_while_others_are_answered) {
  const auto ticks = [&] {
    const auto r = session->tick(now);
    EXPECT_TRUE(r);
    return r->send.size();
  };
  now += 2 * second;
  EXPECT_EQ(ticks(), 0U) << "answered two seconds ago";
  now += second;
  EXPECT_EQ(ticks(), 1U);
  EXPECT_EQ(ticks(), 0U) << "one at a time";
}

}  // namespace
}  // namespace tenure::actors
