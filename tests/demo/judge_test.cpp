#include "demo/judge.hpp"

#include <cerrno>
#include <string>

#include <gtest/gtest.h>

#include "demo/tally.hpp"

// The judge itself on trial: each fault is planted, and must be found.
namespace tenure::demo {
namespace {

constexpr workload_index gateway = 0;
constexpr workload_index checkout = 1;
constexpr workload_index catalog = 2;
constexpr instance_id caller = 1;
constexpr instance_id answerer = 2;
constexpr instance_id successor = 3;
constexpr slot_index caller_slot = 0;
constexpr slot_index shared_slot = 1;

/// `caller` (gateway) calls `answerer` (checkout), whose addresses go to `successor` (catalog) at second 10.
class Judge : public testing::Test {
 protected:
  Judge() {
    hold(caller, gateway, caller_slot, second);
    hold(answerer, checkout, shared_slot, second);
  }

  void hold(instance_id i, workload_index w, slot_index s, nanos at) {
    truth.born(i, w, s, {at - millisecond, at});
    truth.names("t-" + std::to_string(i), i, p.v4(s));
    truth.names("t6-" + std::to_string(i), i, p.v6(s));
  }

  void succeed(nanos at = 10 * second) {
    truth.gone(answerer, {at - 3 * millisecond, at - 2 * millisecond});
    truth.died(answerer, at - 2 * millisecond, "released");
    hold(successor, catalog, shared_slot, at);
  }

  void tell(truth_message::what kind, instance_id who, side s, nanos at, instance_id peer = 0,
            int error = 0) {
    truth_message m;
    m.kind = kind;
    m.side = s;
    m.client = tuple.client.bytes();
    m.server = tuple.server.bytes();
    m.client_port = tuple.client_port;
    m.server_port = tuple.server_port;
    m.connection = 1;
    m.peer = peer;
    m.at = at;
    m.error = static_cast<std::uint16_t>(error);
    truth.heard(who, m);
  }

  /// Both ends tell of a whole connection in good order.
  void converse(nanos from, nanos until) {
    tell(truth_message::what::opened, caller, side::client, from);
    tell(truth_message::what::opened, answerer, side::server, from + millisecond);
    tell(truth_message::what::peer_known, caller, side::client, from + 2 * millisecond, answerer);
    tell(truth_message::what::peer_known, answerer, side::server, from + 2 * millisecond, caller);
    tell(truth_message::what::ended, caller, side::client, until);
    tell(truth_message::what::ended, answerer, side::server, until);
  }

  /// What a right agent and node would say of it.
  flow_line right(side reporter, nanos from, nanos until) const {
    flow_line f;
    f.flow_id = "f-" + std::to_string(from) + (reporter == side::client ? "c" : "s");
    f.reporter = reporter;
    f.tuple = tuple;
    f.client = {"gateway", "t-1"};
    f.server = {"checkout", "t-2"};
    f.opened = from;
    f.established = from + millisecond;
    f.closed = until;
    return f;
  }

  pool p{0, 4};
  truth_book truth{p};
  connection_tuple tuple{p.v4(caller_slot), p.v4(shared_slot), 40000, 8080};
};

TEST_F(Judge, FindsNothingWrongWithTheTruth) {
  converse(5 * second, 6 * second);
  for (const auto reporter : {side::client, side::server}) {
    const auto j = judge(right(reporter, 5 * second, 6 * second), 0, truth);
    EXPECT_TRUE(j.explained);
    EXPECT_FALSE(j.misattributed) << j.why;
    EXPECT_TRUE(j.near_named && j.far_named);
    EXPECT_FALSE(j.current_owner_wrong);
  }
  EXPECT_EQ(truth.without_record(), 0U);
}

TEST_F(Judge, FindsAWrongWorkloadAtEitherEnd) {
  converse(5 * second, 6 * second);
  auto far = right(side::client, 5 * second, 6 * second);
  far.server.workload = "catalog";
  EXPECT_TRUE(judge(far, 0, truth).misattributed);
  auto near = right(side::client, 5 * second, 6 * second);
  near.client.workload = "catalog";
  EXPECT_TRUE(judge(near, 0, truth).misattributed);
}

TEST_F(Judge, FindsAWrongTenancyOfTheRightWorkload) {
  succeed();
  hold(4, checkout, 2, 11 * second);  // another checkout
  converse(5 * second, 6 * second);
  for (const auto* wrong : {"t-3", "t-4", "t6-2", "never-given"}) {
    auto f = right(side::client, 5 * second, 6 * second);
    f.server.tenancy = wrong;
    EXPECT_TRUE(judge(f, 0, truth).misattributed) << wrong;
  }
  auto without = right(side::client, 5 * second, 6 * second);
  without.server.tenancy.reset();
  EXPECT_TRUE(judge(without, 0, truth).misattributed);
}

TEST_F(Judge, LetsAnUnattributedFlowPass) {
  converse(5 * second, 6 * second);
  auto f = right(side::server, 5 * second, 6 * second);
  f.client = {};
  f.reason = "between";
  const auto j = judge(f, 0, truth);
  EXPECT_FALSE(j.misattributed);
  EXPECT_FALSE(j.far_named);
}

TEST_F(Judge, SeesWhatTheCurrentOwnerWouldHaveSaid) {
  converse(5 * second, 6 * second);
  EXPECT_FALSE(judge(right(side::client, 5 * second, 6 * second), 0, truth).current_owner_wrong);
  succeed();
  EXPECT_TRUE(judge(right(side::client, 5 * second, 6 * second), 0, truth).current_owner_wrong);
  EXPECT_FALSE(judge(right(side::server, 5 * second, 6 * second), 0, truth).current_owner_wrong)
      << "the caller stayed";
}

TEST_F(Judge, ConvertsTheRecordsClock) {
  converse(5 * second, 6 * second);
  const nanos utc = 1'000'000 * second;
  EXPECT_FALSE(judge(right(side::client, utc + 5 * second, utc + 6 * second), -utc, truth).misattributed);
  EXPECT_EQ(truth.without_record(), 1U);
}

TEST_F(Judge, KnowsAResetByTheNextOwner) {
  tell(truth_message::what::opened, caller, side::client, 5 * second);
  tell(truth_message::what::peer_known, caller, side::client, 6 * second, answerer);
  succeed();
  tell(truth_message::what::ended, caller, side::client, 12 * second, answerer, ECONNRESET);
  const auto j = judge(right(side::client, 5 * second, 12 * second), 0, truth);
  EXPECT_TRUE(j.reset_by_next_owner);
  EXPECT_TRUE(j.outlived_owner);
  EXPECT_FALSE(j.misattributed) << j.why;
  auto fooled = right(side::client, 5 * second, 12 * second);
  fooled.server = {"catalog", "t-3"};
  EXPECT_TRUE(judge(fooled, 0, truth).misattributed) << "given to who only sent the RST";
}

TEST_F(Judge, KnowsASynThatTheNextOwnerAnswered) {
  tell(truth_message::what::opened, caller, side::client, 9 * second + 995 * millisecond);
  succeed();
  tell(truth_message::what::opened, successor, side::server, 11 * second);
  tell(truth_message::what::peer_known, caller, side::client, 11 * second, successor);
  auto f = right(side::client, 9 * second + 995 * millisecond, 12 * second);
  f.established = 11 * second;
  EXPECT_TRUE(judge(f, 0, truth).misattributed) << "given to who held the address at the first SYN";
  f.server = {"catalog", "t-3"};
  const auto j = judge(f, 0, truth);
  EXPECT_FALSE(j.misattributed) << j.why;
  EXPECT_TRUE(j.opened_before_owner);
}

TEST_F(Judge, LetsAFailedConnectBeGivenOnlyToWhoWasThereAllTheTime) {
  succeed();
  tell(truth_message::what::opened, caller, side::client, 5 * second);
  tell(truth_message::what::ended, caller, side::client, 12 * second, 0, ECONNREFUSED);
  auto f = right(side::client, 5 * second, 12 * second);
  f.established.reset();
  EXPECT_TRUE(judge(f, 0, truth).misattributed) << "the first owner";
  f.server = {"catalog", "t-3"};
  EXPECT_TRUE(judge(f, 0, truth).misattributed) << "the next owner";
  f.closed = 6 * second;
  f.server = {"checkout", "t-2"};
  EXPECT_FALSE(judge(f, 0, truth).misattributed);
}

TEST_F(Judge, KnowsWhoTheOtherEndIsFromItsOwnWordsOrFromTheAddress) {
  // The caller was killed before it heard who answered.
  tell(truth_message::what::opened, caller, side::client, 5 * second);
  auto wrong = right(side::client, 5 * second, 6 * second);
  wrong.server = {"catalog", "t-3"};
  EXPECT_TRUE(judge(wrong, 0, truth).misattributed) << "by the address";
  tell(truth_message::what::opened, answerer, side::server, 5 * second);
  succeed();
  EXPECT_TRUE(judge(wrong, 0, truth).misattributed) << "by the other end's words";
  EXPECT_FALSE(judge(right(side::client, 5 * second, 6 * second), 0, truth).misattributed);
}

TEST_F(Judge, FindsARecordThatNobodyAccountsFor) {
  auto f = right(side::client, 500 * millisecond, 600 * millisecond);  // before anybody was there
  EXPECT_FALSE(judge(f, 0, truth).explained);
}

TEST_F(Judge, TellsConnectionsOfOneTupleApartByTime) {
  converse(2 * second, 3 * second);
  EXPECT_EQ(truth.find(side::client, tuple, 8 * second), nullptr);
  succeed();
  tell(truth_message::what::opened, successor, side::server, 11 * second);
  ASSERT_NE(truth.find(side::server, tuple, 11 * second), nullptr);
  EXPECT_EQ(truth.find(side::server, tuple, 11 * second)->instance, successor);
  EXPECT_EQ(truth.find(side::server, tuple, 2 * second)->instance, answerer);
}

TEST_F(Judge, CountsApartWhatTheKernelHadToEndAlone) {
  converse(2 * second, 3 * second);
  truth.died(answerer, 4 * second, "vanished");
  EXPECT_EQ(truth.without_record(), 1U) << "the caller lives";
  EXPECT_EQ(truth.orphans_without_record(), 1U);
  truth.died(answerer, 6 * second, "vanished");
  EXPECT_EQ(truth.without_record(), 2U) << "it closed its end long before";
  EXPECT_EQ(truth.orphans_without_record(), 0U);
  truth.died(answerer, 4 * second, "vanished");
  truth.forget(5 * second);
  EXPECT_EQ(truth.without_record(), 1U);
  EXPECT_EQ(truth.orphans_without_record(), 1U);
}

TEST_F(Judge, CountsEndsWithoutARecordAlsoWhenForgotten) {
  converse(2 * second, 3 * second);
  EXPECT_EQ(truth.without_record(), 2U);
  judge(right(side::client, 2 * second, 3 * second), 0, truth);
  EXPECT_EQ(truth.without_record(), 1U);
  EXPECT_EQ(truth.examples_without_record(5).size(), 1U);
  truth.forget(4 * second);
  EXPECT_EQ(truth.without_record(), 1U);
  EXPECT_TRUE(truth.ends().empty());
  EXPECT_EQ(truth.ends_told(), 2U);
}

TEST_F(Judge, IsTalliedOncePerRecord) {
  converse(5 * second, 6 * second);
  tally t;
  auto good = right(side::client, 5 * second, 6 * second);
  t.add(good, judge(good, 0, truth));
  t.add(good, judge(good, 0, truth));
  auto bad = right(side::server, 5 * second, 6 * second);
  bad.client.workload = "cart";
  t.add(bad, judge(bad, 0, truth));
  auto unknown = right(side::server, 5 * second, 6 * second);
  unknown.flow_id = "another";
  unknown.client = {};
  unknown.reason = "clock";
  t.add(unknown, judge(unknown, 0, truth));
  EXPECT_EQ(t.flows, 3U);
  EXPECT_EQ(t.repeated, 1U);
  EXPECT_EQ(t.misattributed, 1U);
  EXPECT_EQ(t.examples.size(), 1U);
  EXPECT_EQ(t.both_named, 2U);
  EXPECT_EQ(t.attributed, 2U);
  EXPECT_EQ(t.unattributed.at("clock"), 1U);
  EXPECT_EQ(t.dependencies.at({"gateway", "checkout"}), 1U);
}

}  // namespace
}  // namespace tenure::demo
