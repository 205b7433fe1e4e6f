#include <string>
#include <utility>
#include <vector>

#include "agent/ping_wait.hpp"
#include "tests/actors/path.hpp"

// An exporter whose node we play: what batches wait for.
namespace tenure::actors::testing {
namespace {

struct exporter_waits : ::testing::Test {
  world w;
  exporter_actor agent;
  tenure::transport::link_ptr link;  // the last one that was accepted
  std::vector<wire::message> heard;
  std::uint64_t pings = 0;

  exporter_waits() {
    (void)w.links->listen("node:1", [this](tenure::transport::link_ptr l) {
      link = std::move(l);
      return tenure::transport::link_events{[this](const tenure::transport::frame& f) {
                                              auto m = wire::decode(f, incarnation);
                                              ASSERT_TRUE(m) << m.error().text;
                                              heard.push_back(std::move(*m));
                                            },
                                            [](tenure::transport::close_reason) {}};
    });
    agent = w.start_agent(agent_settings());
    w.settle();
    welcome();
  }
  ~exporter_waits() override { w.stop(); }

  void welcome() {
    link->send(wire::encode(wire::welcome{wire::protocol_version, "n"}));
    w.settle();
    heard.clear();
  }
  void ping(std::uint32_t next_ms) {
    link->send(wire::encode(wire::ping{++pings, 0, {}, next_ms}));
    w.settle();
  }
  /// A flow, and the linger.
  void flow() {
    observe(agent, {connection(w, "10.0.0.1", "10.0.0.2", second)});
    w.advance(agent_settings().linger + 100 * millisecond);
  }
  static char kind_of(const wire::message& m) {
    if (std::holds_alternative<wire::pong>(m)) return 'p';
    const auto* b = std::get_if<wire::batch>(&m);
    return b == nullptr ? '?' : b->evidence.empty() ? 'b' : 'e';
  }
  /// What was heard since the last call: p(ong), b(atch of flows alone), e(vidence).
  std::string all() {
    std::string out;
    for (const auto& m : std::exchange(heard, {})) out += kind_of(m);
    return out;
  }
};

TEST_F(exporter_waits, flows_follow_the_answer_to_the_ping_that_was_promised) {
  flow();
  EXPECT_EQ(all(), "b") << "nothing was promised";
  ping(5'000);
  EXPECT_EQ(all(), "p");
  flow();
  flow();
  EXPECT_EQ(all(), "");
  ping(5'000);
  EXPECT_EQ(all(), "pbb");
}

TEST_F(exporter_waits, flows_leave_when_the_ping_is_late) {
  ping(2'000);
  flow();
  EXPECT_EQ(all(), "p");
  w.advance(second + agent::ping_wait::grace + 100 * millisecond);
  EXPECT_EQ(all(), "b");
  flow();
  EXPECT_EQ(all(), "b") << "it is waited for no longer";
}

TEST_F(exporter_waits, evidence_waits_like_flows) {
  w.ipman(agent, assign("10.0.0.1", "checkout"));
  w.advance(agent_settings().heartbeat - 2 * second);
  ping(10'000);
  flow();
  // A heartbeat, and its linger.
  w.advance(2 * second + agent_settings().linger);
  EXPECT_EQ(all(), "p");
  ping(0);
  EXPECT_EQ(all(), "pbe");
  w.advance(agent_settings().heartbeat);
  EXPECT_EQ(all(), "e") << "nothing was promised";
}

TEST_F(exporter_waits, what_is_told_at_the_end_does_not_wait) {
  w.ipman(agent, assign("10.0.0.1", "checkout"));
  w.advance(second);
  ping(10'000);
  flow();
  EXPECT_EQ(all(), "p");
  caf::anon_send(agent, told_atom_v);
  w.settle();
  EXPECT_EQ(all(), "be");
}

TEST_F(exporter_waits, what_uses_up_the_credit_does_not_wait) {
  w.links->cut();
  w.advance(second);
  link->send(wire::encode(wire::welcome{wire::protocol_version, "n", true}));
  link->send(wire::encode(wire::credit{1}));
  w.settle();
  all();
  ping(10'000);
  flow();
  EXPECT_EQ(all(), "pb");
  flow();
  EXPECT_EQ(all(), "") << "there is none left";
}

TEST_F(exporter_waits, a_drain_does_not_wait) {
  ping(5'000);
  flow();
  EXPECT_EQ(all(), "p");
  caf::anon_send(agent, drain_atom_v);
  w.settle();
  EXPECT_EQ(all(), "b");
}

TEST_F(exporter_waits, what_waited_for_a_node_that_is_gone_is_sent_to_the_next) {
  ping(5'000);
  flow();
  EXPECT_EQ(all(), "p");
  w.links->cut();
  w.advance(second);
  EXPECT_EQ(all(), "?") << "a hello";
  link->send(wire::encode(wire::welcome{wire::protocol_version, "n"}));
  w.settle();
  EXPECT_EQ(all(), "b") << "at once: this connection promised nothing";
}

}  // namespace
}  // namespace tenure::actors::testing
