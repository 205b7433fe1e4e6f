#include "tests/actors/path.hpp"

#include <gtest/gtest.h>

// One flow through the production actors, from the exporter to the sink and back, under virtual time.
namespace tenure::actors::testing {
namespace {

TEST_F(path, both_ends_are_named_after_the_hold_and_not_before) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(30 * second);
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});
  w.advance(55 * second);
  EXPECT_TRUE(w.sink->written.empty());
  w.advance(10 * second);
  ASSERT_EQ(w.sink->written.size(), 1U);
  const auto& r = w.sink->written[0];
  EXPECT_EQ(r.near, "gateway");
  EXPECT_EQ(r.far, "checkout");
  EXPECT_EQ(r.reason, reason::none);
  EXPECT_EQ(r.agent, "host-1");
  EXPECT_EQ(r.id.incarnation, incarnation);
}

TEST_F(path, batch_is_retained_until_its_flows_are_durable) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.9", 2 * second)});
  w.advance(5 * second);
  EXPECT_EQ(w.exported->flows_retained, 1U);
  w.advance(60 * second);
  EXPECT_EQ(w.sink->durable, 1U);
  EXPECT_EQ(w.exported->flows_retained, 0U);
  EXPECT_EQ(w.exported->flows_acknowledged, 1U);
  EXPECT_EQ(w.running.counters->flows_held(), 0U);
}

TEST_F(path, far_end_without_evidence_is_unattributed_and_says_so) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.9", 2 * second)});
  w.advance(65 * second);
  ASSERT_EQ(w.sink->written.size(), 1U);
  EXPECT_EQ(w.sink->written[0].far, "");
  EXPECT_EQ(w.sink->written[0].reason, reason::no_evidence);
}

TEST_F(path, early_release_lets_go_what_is_attributed_and_holds_the_rest) {
  begin({.hold = 60 * second, .when = release::early});
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(30 * second);
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second),
                  connection(w, "10.0.0.1", "10.0.0.9", 2 * second)});
  w.advance(20 * second);
  ASSERT_EQ(w.sink->written.size(), 1U) << "a heartbeat came in between";
  EXPECT_EQ(w.sink->written[0].far, "checkout");
  EXPECT_EQ(w.running.counters->flows_held(), 1U);
  w.advance(35 * second);
  EXPECT_EQ(w.sink->written.size(), 1U);
  w.advance(10 * second);
  ASSERT_EQ(w.sink->written.size(), 2U);
  EXPECT_EQ(w.sink->written[1].reason, reason::no_evidence);
  EXPECT_EQ(w.exported->flows_acknowledged, 2U);
}

TEST_F(path, what_lacks_only_evidence_is_held_once_more) {
  begin({.hold = 2 * second, .longest = 20 * second});
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(35 * second);
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});
  w.advance(4 * second);
  EXPECT_TRUE(w.sink->written.empty()) << "the next heartbeat is still to come";
  w.advance(25 * second);
  ASSERT_EQ(w.sink->written.size(), 1U);
  EXPECT_EQ(w.sink->written[0].far, "checkout");
  EXPECT_EQ(w.exported->flows_acknowledged, 1U);
}

TEST_F(path, address_that_went_to_another_workload_is_attributed_by_the_flows_own_time) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(30 * second);
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});
  w.advance(100 * millisecond);
  w.ipman(agent, assign("10.0.0.2", "catalog"));
  w.advance(5 * second);
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});
  w.advance(70 * second);
  ASSERT_EQ(w.sink->written.size(), 2U);
  // `set` over a held address ends the old tenancy where it was last verified, which was before this flow's
  // end.
  EXPECT_TRUE(w.sink->written[0].far.empty() || w.sink->written[0].far == "checkout");
  EXPECT_EQ(w.sink->written[1].far, "catalog");
}

TEST_F(path, broken_link_loses_nothing) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.advance(15 * second);
  w.links->reachable = false;
  w.links->cut();
  w.settle();
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.9", 2 * second)});
  w.advance(30 * second);
  EXPECT_EQ(w.exported->flows_retained, 1U);
  w.links->reachable = true;
  w.advance(80 * second);
  EXPECT_EQ(w.exported->connects, 2U);
  EXPECT_EQ(w.sink->written.size(), 1U);
  EXPECT_EQ(w.exported->flows_retained, 0U);
}

// As while nodes are updated one by one, or an update is taken back.
TEST_F(path, batches_go_to_nodes_that_read_packed_ones_and_to_older_ones) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(15 * second);
  const auto loses_its_node = [&](bool older) {
    w.links->reachable = false;
    w.links->cut();
    w.settle();
    observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});  // sealed for the node of before
    w.advance(5 * second);
    w.links->older = older;
    w.links->reachable = true;
    const auto packed = w.links->packed;
    w.advance(5 * second);
    observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});
    w.advance(90 * second);
    return w.links->packed - packed;
  };
  EXPECT_GT(w.links->packed, 0U);
  EXPECT_EQ(loses_its_node(true), 0U) << "packed for another one, and unpacked for this one";
  EXPECT_GT(loses_its_node(false), 1U);
  ASSERT_EQ(w.sink->written.size(), 4U);
  for (const auto& r : w.sink->written) {
    EXPECT_EQ(r.near, "gateway");
    EXPECT_EQ(r.far, "checkout");
  }
  EXPECT_EQ(w.exported->flows_acknowledged, 4U);
  EXPECT_EQ(w.running.counters->frames_refused, 0U);
}

/// A spool in which an agent finds one batch.
struct left_behind final : agent::spool {
  wire::frame batch;
  bool there = true;
  outcome<void> put(std::uint64_t, std::size_t, const wire::frame&) override { return {}; }
  outcome<wire::frame> get(std::uint64_t) override { return batch; }
  void erase(std::uint64_t) override { there = false; }
  std::vector<entry> list() override { return {{1, 3, batch.size() * sizeof(batch[0])}}; }
};

/// A packed batch that cannot be read: one of a form to come, say.
wire::frame unreadable() {
  wire::batch b;
  b.number = 1;
  b.flows.resize(1);
  b.flows[0].end = end_reason::end_of_flow;
  const auto good = wire::encode_packed(b);
  for (std::size_t at = good.size(); at-- > 0;) {
    auto bad = good;
    bad[at] = ~bad[at];
    if (wire::is_packed(bad) && !wire::decode(bad, incarnation)) return bad;
  }
  return {};
}

TEST_F(path, what_cannot_be_sent_to_an_older_node_is_dropped_and_counted) {
  begin_node(hold_settings{.hold = second});
  w.links->older = true;
  const auto found = std::make_shared<left_behind>();
  found->batch = unreadable();
  ASSERT_FALSE(found->batch.empty());
  agent = w.start_agent(agent_settings(), {found, 1'000'000});
  w.advance(5 * second);
  EXPECT_EQ(w.exported->batches_dropped, 1U);
  EXPECT_EQ(w.exported->flows_dropped, 3U);
  EXPECT_FALSE(found->there);
  EXPECT_EQ(w.exported->disconnects, 0U) << "and the link goes on";
}

TEST_F(path, session_that_breaks_the_protocol_ends_alone) {
  begin();
  std::vector<transport::frame> answers;
  bool closed = false;
  auto link = w.links->dial("", {[&](transport::frame f) { answers.push_back(std::move(f)); },
                                 [&](transport::close_reason) { closed = true; }});
  link->send(transport::frame{1, 2, 3});
  w.settle();
  EXPECT_TRUE(closed);
  EXPECT_EQ(w.running.counters->frames_refused, 1U);
  ASSERT_EQ(answers.size(), 1U);
  const auto goodbye = wire::decode(answers[0], 0);
  ASSERT_TRUE(goodbye);
  EXPECT_TRUE(std::holds_alternative<wire::goodbye>(*goodbye));
  EXPECT_EQ(w.exported->connects, 1U);
  EXPECT_EQ(w.exported->disconnects, 0U);
}

/// What a connection of our own hears and when it ends.
struct visitor {
  struct what_came {
    std::vector<wire::message> heard;
    bool closed = false;
  };
  std::shared_ptr<what_came> came = std::make_shared<what_came>();  // links outlive visitors
  std::vector<wire::message>& heard = came->heard;
  bool& closed = came->closed;
  transport::link_ptr link;

  explicit visitor(world& w) {
    link = w.links->dial("", {[to = came](transport::frame f) {
                                if (const auto m = wire::decode(f, 0)) to->heard.push_back(*m);
                              },
                              [to = came](transport::close_reason) { to->closed = true; }});
  }
};

TEST_F(path, a_connection_begins_with_hello_in_time) {
  begin();
  visitor early(w);
  early.link->send(wire::encode(wire::pong{1, 1}));
  visitor other(w);
  other.link->send(wire::encode(wire::hello{.version = 99, .incarnation = 9, .agent = "a"}));
  visitor silent(w);
  w.advance(second);
  EXPECT_TRUE(early.closed);
  EXPECT_TRUE(other.closed);
  EXPECT_EQ(w.running.counters->frames_refused, 1U);
  EXPECT_EQ(w.running.counters->sessions_refused, 1U);
  EXPECT_FALSE(silent.closed);
  w.advance(11 * second);
  EXPECT_TRUE(silent.closed);
  EXPECT_EQ(w.running.counters->sessions_refused, 2U);
}

TEST_F(path, the_later_connection_of_an_incarnation_is_the_one_that_counts) {
  begin();
  visitor first(w);
  visitor second_one(w);
  first.link->send(wire::encode(wire::hello{.incarnation = 9, .agent = "a"}));
  w.settle();
  EXPECT_FALSE(first.closed);
  second_one.link->send(wire::encode(wire::hello{.incarnation = 9, .agent = "a"}));
  w.settle();
  EXPECT_TRUE(first.closed);
  EXPECT_FALSE(second_one.closed);
}

TEST_F(path, a_link_broken_during_the_hold_repeats_nothing_and_is_acknowledged) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(20 * second);
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});
  w.advance(20 * second);
  w.links->cut();
  w.advance(60 * second);
  EXPECT_EQ(w.sink->written.size(), 1U) << "the copy over the new connection joined the first";
  EXPECT_EQ(w.running.counters->batches_repeated, 1U);
  EXPECT_EQ(w.exported->flows_acknowledged, 1U);
}

TEST_F(path, flows_observed_without_a_link_have_the_clock_of_before) {
  begin();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(20 * second);
  w.links->reachable = false;
  w.links->cut();
  w.advance(10 * second);
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", 2 * second)});
  w.advance(10 * second);
  w.links->reachable = true;
  w.advance(80 * second);
  ASSERT_EQ(w.sink->written.size(), 1U);
  EXPECT_EQ(w.sink->written[0].far, "checkout");
}

TEST_F(path, agents_wait_for_credit_and_lose_nothing) {
  node_settings settings;
  settings.hold.hold = 5 * second;
  settings.held_bytes = 4'000;
  w.start_node(settings);
  agent = w.start_agent(agent_settings());
  w.settle();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  for (int i = 0; i < 60; ++i) {
    observe(agent, std::vector(10, connection(w, "10.0.0.1", "10.0.0.9", 2 * second)));
    w.advance(second);
    EXPECT_LT(w.running.budget->used(), 8'000) << "the budget, and a batch";
    const auto now = w.running.ledger->read();
    EXPECT_TRUE(now.all.balances());
    EXPECT_LE(now.all.held, 60U) << "as many as the budget has room for, and a batch";
  }
  EXPECT_GE(w.exported->flows_retained, 100U) << "the node takes about a batch a hold";
  for (int i = 0; i < 400 && w.exported->flows_retained > 0; ++i) w.advance(second);
  EXPECT_EQ(w.exported->flows_acknowledged, 600U);
  EXPECT_EQ(w.sink->written.size(), 600U);
  const auto end = w.running.ledger->read();
  EXPECT_EQ(end.agents.at("host-1").received, 600U);
  EXPECT_EQ(end.all.unattributed(), 600U);
  EXPECT_EQ(end.all.held, 0U);
  EXPECT_EQ(w.exported->disconnects, 0U);
}

TEST_F(path, frames_that_the_transport_refuses_are_counted_too) {
  struct silent_link final : transport::link {
    void send(transport::frame) override {}
    void close() override {}
    std::string peer() const override { return "hostile"; }
  };
  begin();
  for (const auto why : {transport::close_reason::too_long, transport::close_reason::truncated,
                         transport::close_reason::closed_there}) {
    const auto events = w.running.accept(std::make_shared<silent_link>());
    events.closed(why);
    w.settle();
  }
  EXPECT_EQ(w.running.counters->frames_refused, 2U);
  EXPECT_EQ(w.running.counters->sessions_closed, 3U);
}

TEST_F(path, broken_sink_confirms_nothing_and_stops_the_node) {
  begin(1 * second);
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.sink->broken = true;
  observe(agent, {connection(w, "10.0.0.1", "10.0.0.9", 2 * second)});
  w.advance(10 * second);
  EXPECT_TRUE(w.node_failed);
  EXPECT_EQ(w.exported->flows_acknowledged, 0U);
  EXPECT_EQ(w.exported->flows_retained, 1U);
}

TEST_F(path, history_behind_the_horizon_is_forgotten_and_counted) {
  node_settings settings;
  settings.hold.hold = second;
  settings.retention.horizon = 2 * minute;
  w.start_node(settings);
  agent = w.start_agent(agent_settings());
  w.settle();
  w.ipman(agent, assign("10.0.0.1", "gateway"));
  w.ipman(agent, assign("10.0.0.2", "checkout"));
  w.advance(20 * second);
  const auto& c = *w.running.counters;
  EXPECT_EQ(c.addresses, 2U);
  EXPECT_EQ(c.tenancies, 2U);
  EXPECT_GT(c.timeline_bytes, 0U);
  w.ipman(agent, assign("10.0.0.2", "catalog"));
  w.advance(minute);
  EXPECT_EQ(c.tenancies, 3U);
  EXPECT_EQ(c.tenancies_forgotten, 0U);
  w.advance(3 * minute);
  EXPECT_EQ(c.tenancies, 2U);
  EXPECT_EQ(c.tenancies_forgotten, 1U);
  EXPECT_GT(c.evidence_too_old, 0U) << "the agent repeats the end for six minutes";
  EXPECT_EQ(c.evidence_no_room, 0U);
}

TEST_F(path, evidence_without_room_is_counted_and_its_flows_stay_unattributed) {
  node_settings settings;
  settings.hold.hold = 15 * second;
  settings.shards = 1;
  settings.retention.most_bytes = 4'000;
  w.start_node(settings);
  agent = w.start_agent(agent_settings());
  w.settle();
  for (int host = 1; host < 200; ++host) w.ipman(agent, assign("10.0.0." + std::to_string(host), "gateway"));
  w.advance(15 * second);
  const auto& c = *w.running.counters;
  EXPECT_GT(c.evidence_no_room, 0U);
  EXPECT_LT(c.tenancies, 199U);
  EXPECT_LT(c.timeline_bytes, 8'000U);
  std::vector<agent::observed_flow> flows;
  for (int host = 2; host < 200; ++host)
    flows.push_back(connection(w, "10.0.0.1", ("10.0.0." + std::to_string(host)).c_str(), 2 * second));
  observe(agent, std::move(flows));
  w.advance(20 * second);
  EXPECT_EQ(c.flows_resolved(), 198U);
  EXPECT_GT(c.flows_attributed, 0U);
  EXPECT_GT(c.flows_unattributed[static_cast<std::size_t>(reason::no_evidence)], 0U);
}

}  // namespace
}  // namespace tenure::actors::testing
