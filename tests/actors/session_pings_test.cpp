#include "tests/actors/session_by_hand.hpp"

namespace tenure::actors {
namespace {

/// When the node asks an agent for its clock: each question is a write of its own, and so is each answer.
struct pings : session_protocol_test {
  nanos now = start;

  pings() {
    settings->ping_waits = second;
    begin();
    greet();
    EXPECT_TRUE(say(wire::pong{last_ping, reading()}, now));
  }

  // The agent's clock, as far as stamps may have come.
  nanos reading() const { return now - start + 10 * second; }
  /// A batch of a flow.
  outcome<session_reaction> sends(std::uint64_t number) {
    auto b = with_flow(batch(number, 9 * second, reading()), reading());
    b.evidence.clear();
    return say(b, now);
  }
  /// Sends one. @returns whether it made the node ask as soon as it came
  bool is_asked_at_once(std::uint64_t number) {
    const auto before = last_ping;
    EXPECT_TRUE(sends(number));
    return last_ping == before + 1;
  }
  /// A batch that is placed, and another one that is acknowledged so much later.
  void acknowledged_after(nanos wait) {
    ASSERT_TRUE(sends(1));
    ASSERT_TRUE(say(wire::pong{last_ping, reading()}, now));
    now += wait;
    durable(1, now);
    now += 10 * second;
    ASSERT_TRUE(sends(2));
    ASSERT_TRUE(say(wire::pong{last_ping, reading()}, now));
    now += second / 2;
  }
};

TEST_F(pings, go_along_with_an_acknowledgement_that_is_to_be_expected) {
  acknowledged_after(second / 2);
  const auto before = last_ping;
  const auto taken = sends(3);
  ASSERT_TRUE(taken);
  EXPECT_EQ(last_ping, before) << "there is something to wait for";
  ASSERT_TRUE(taken->ask_at);
  EXPECT_EQ(*taken->ask_at, now + second);
  now += second / 2;
  const auto said = durable(2, now);
  ASSERT_EQ(said.send.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<wire::acknowledgement>(said.send[0]));
  EXPECT_TRUE(std::holds_alternative<wire::ping>(said.send[1]));
  const auto placed = say(wire::pong{last_ping, reading()}, now);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->placed.size(), 1U);
}

TEST_F(pings, wait_no_longer_than_they_may_and_not_again_where_it_was_in_vain) {
  acknowledged_after(second / 2);
  const auto before = last_ping;
  const auto taken = sends(3);
  ASSERT_TRUE(taken && taken->ask_at);
  now = *taken->ask_at;
  EXPECT_TRUE(session->ask(now - 1).send.empty());
  EXPECT_EQ(session->ask(now).send.size(), 1U) << "alone";
  ASSERT_TRUE(say(wire::pong{before + 1, reading()}, now));
  now += second;
  last_ping = before + 1;
  EXPECT_TRUE(is_asked_at_once(4));
}

TEST_F(pings, do_not_wait_where_there_is_evidence) {
  acknowledged_after(second / 2);
  const auto before = last_ping;
  ASSERT_TRUE(say(batch(3, 9 * second, reading()), now));
  EXPECT_EQ(last_ping, before + 1);
}

TEST_F(pings, do_not_wait_where_acknowledgements_come_too_late_for_it) {
  acknowledged_after(second);
  EXPECT_TRUE(is_asked_at_once(3));
}

TEST_F(pings, do_not_wait_where_nothing_is_to_be_acknowledged) {
  acknowledged_after(second / 2);
  durable(2, now);
  now += second;
  EXPECT_TRUE(is_asked_at_once(3));
}

TEST_F(pings, do_not_wait_over_a_new_connection) {
  acknowledged_after(second / 2);
  session->disconnected();
  greet(now);
  ASSERT_TRUE(say(wire::pong{last_ping, reading()}, now));
  now += second;
  EXPECT_TRUE(is_asked_at_once(3));
}

TEST_F(pings, do_not_wait_for_an_agent_whose_batches_share_them_anyway) {
  acknowledged_after(second / 2);
  ASSERT_TRUE(sends(3));
  durable(2, now);
  ASSERT_TRUE(say(wire::pong{last_ping, reading()}, now));
  now += 100 * millisecond;
  EXPECT_TRUE(is_asked_at_once(4)) << "the pace of pings says when, if they become too many";
}

TEST_F(pings, the_regular_one_is_left_out_while_others_are_answered) {
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
