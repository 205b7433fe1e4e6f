#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/process/hostile_agent.hpp"
#include "tests/process/played_fleet.hpp"

// Agents that lie, beside agents that do not: the former are refused and counted, the latter feel nothing.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

constexpr std::size_t mib = 1 << 20;

/// An honest fleet and a node, while somebody else misbehaves.
struct hostile : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";
  node_process node{output, {"--hold", "500ms"}};
  played_fleet fleet{node.address(), churning_fleet(), half_as_brisk()};

  static load::pace_options half_as_brisk() {
    auto p = brisk();
    p.flows_a_second = 4'000;
    return p;
  }

  void SetUp() override {
    ASSERT_TRUE(fleet.play_until([this] { return fleet.fleet().connected(); }, seconds{60}));
    fleet.play(seconds{1});
  }

  std::uint64_t most_on_the_way = 0;  // flows of the honest ones, sealed and not acknowledged

  double counted(const char* name) { return node.metric_now(name); }
  /// Plays on until this holds.
  template <class Done>
  void until(Done done) {
    EXPECT_TRUE(fleet.play_until(
        [&] {
          most_on_the_way = std::max(most_on_the_way, fleet.unacknowledged());
          return done();
        },
        seconds{60}));
  }
  /// As its farewell, while the others play on.
  std::string farewell_of(const hostile_agent& liar) {
    until([&] { return liar.closed(); });
    if (liar.closed()) return liar.farewell();
    ADD_FAILURE() << node.process().err();
    return "(open)";
  }
  void expect_that_others_felt_nothing() {
    fleet.fleet().stop_flows();
    until([this] { return fleet.fleet().settled(); });
    EXPECT_EQ(fleet.fleet().counters().disconnects, 0U);
    EXPECT_EQ(fleet.fleet().counters().batches_repeated, 0U);
    // Half a second's hold, a clock ping and a sync: some 4,000. Eight seconds' worth on a slow machine.
    EXPECT_LT(most_on_the_way, 32'000U) << "they wait longer than they should";
    const auto found = fleet.judge(output);
    expect_all_there_and_right(found);
    EXPECT_GT(found.attributed, found.records / 4);
    EXPECT_EQ(node.end(), 0) << node.process().err();
  }
};

TEST_F(hostile, replays_and_batches_out_of_order_end_their_connection) {
  for (const std::uint64_t second_number : {5, 4, 1}) {
    hostile_agent liar(fleet.net(), node.address(), 0xbad0 + second_number);
    until([&] { return liar.welcomed(); });
    liar.send(liar.claim(5, "198.51.100.1", "mine"));
    until([&] { return liar.acknowledged() == 5; });
    liar.send(liar.claim(second_number, "198.51.100.1", "mine"));
    EXPECT_EQ(farewell_of(liar), "batch numbers must increase");
  }
  EXPECT_EQ(counted("tenure_node_batches_refused_total"), 3);
  // A gap is no lie: an agent whose bound on retention was passed has one.
  hostile_agent gap(fleet.net(), node.address(), 0xbada);
  until([&] { return gap.welcomed(); });
  gap.send(gap.claim(1, "198.51.100.1", "mine"));
  gap.send(gap.claim(~std::uint64_t{0}, "198.51.100.1", "mine"));
  until([&] { return gap.acknowledged() == ~std::uint64_t{0}; });
  EXPECT_EQ(counted("tenure_node_batch_gaps_total"), 1);
  EXPECT_GT(counted("tenure_node_seen_bytes"), 0);
  EXPECT_EQ(counted("tenure_node_seen_limit_bytes"), 64 << 20);
  expect_that_others_felt_nothing();
}

TEST_F(hostile, a_recorded_conversation_played_again_is_not_written_twice) {
  hostile_agent first(fleet.net(), node.address(), 0xbad1);
  until([&] { return first.welcomed(); });
  auto b = first.claim(1, "198.51.100.1", "mine");
  flow f;
  f.id = {0xbad1, 1, 0};
  f.near_address = *address::parse("198.51.100.1");
  f.far_address = *address::parse("198.51.100.2");
  f.times = {first.now() - second, first.now() - second, first.now(), first.now(), 0, 0, true};
  b.flows.push_back(f);
  first.send(b);
  until([&] { return first.acknowledged() == 1; });
  hostile_agent again(fleet.net(), node.address(), 0xbad1);
  until([&] { return again.welcomed(); });
  again.send(b);
  until([&] { return again.acknowledged() == 1; });
  EXPECT_EQ(counted("tenure_node_flows_repeated_total"), 1);
  ASSERT_TRUE(fleet.settle());
  EXPECT_EQ(fleet.judge(output).strangers, 1U) << "its flow, once";
}

TEST_F(hostile, stamps_of_the_future_end_their_connection) {
  for (const nanos ahead : {minute, 100 * 365 * 24 * hour}) {
    hostile_agent liar(fleet.net(), node.address(), 0xbad2 + static_cast<std::uint64_t>(ahead));
    until([&] { return liar.welcomed(); });
    auto b = liar.claim(1, "198.51.100.1", "mine");
    b.evidence[0].until += ahead;
    liar.send(b);
    EXPECT_NE(farewell_of(liar).find("stamps that the agent's own clock had not reached"), std::string::npos);
  }
  EXPECT_EQ(counted("tenure_node_batches_refused_total"), 2);
  expect_that_others_felt_nothing();
}

TEST_F(hostile, garbage_in_frames_ends_its_connection) {
  std::minstd_rand draw(4740);
  for (int i = 0; i < 50; ++i) {
    hostile_agent liar(fleet.net(), node.address(), 0xbad300 + static_cast<std::uint64_t>(i));
    wire::frame f = wire::encode(liar.claim(1, "198.51.100.1", "mine"));
    if (i % 2 == 0)
      for (auto& word : f) word = (std::uint64_t{draw()} << 32) | draw();
    else
      f.resize(f.size() / 2);
    liar.send(std::move(f));
    EXPECT_NE(farewell_of(liar), "(open)") << i;
  }
  EXPECT_EQ(counted("tenure_node_frames_refused_total"), 50);
  expect_that_others_felt_nothing();
}

/// A batch of so many tenancies on addresses of 100.64.0.0/10, each of a workload of its own where
/// there are names left.
wire::batch many_tenancies(const hostile_agent& liar, std::uint64_t incarnation, std::uint64_t number,
                           std::uint32_t count, std::uint32_t names) {
  wire::batch b;
  b.number = number;
  for (std::uint32_t i = 0; i < names; ++i) b.workloads.push_back({fmt::format("n{}-{}", number, i), {}});
  const nanos now = liar.now();
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto which = number * count + i;
    const tenancy_id id{incarnation, which * 2};  // with holes, so that they are no range
    const endpoint e{address::v4(0x6440'0000U + static_cast<std::uint32_t>(which)), 0};
    const workload_id w{1 + i % names};
    b.tenancies.push_back({id, e, w});
    b.evidence.push_back({e, id, w, now - second, now, 0, 0});
  }
  return b;
}

TEST_F(hostile, a_million_tenancies_fill_no_more_than_one_agents_share) {
  const std::size_t before = node.resident();
  hostile_agent liar(fleet.net(), node.address(), 0xbad4);
  until([&] { return liar.welcomed(); });
  constexpr std::uint32_t count = 15'625;
  for (std::uint64_t number = 1; number <= 64; ++number) {
    liar.send(many_tenancies(liar, 0xbad4, number, count, 1'000));
    until([&] { return liar.acknowledged() == number; });
  }
  EXPECT_EQ(counted("tenure_node_tenancies_over_share_total"), 20 * count - 200'000);
  // After twenty batches its names are used up, and evidence without a workload is none.
  EXPECT_GE(counted("tenure_node_evidence_refused_total"), 44 * count);
  EXPECT_EQ(counted("tenure_node_workloads_over_share_total"), 64 * 1'000 - 20'000);
  EXPECT_EQ(counted("tenure_node_evidence_no_room_total"), 0);
  EXPECT_LT(counted("tenure_node_timelines_bytes"), 200.0 * 200'000);
  EXPECT_LT(node.resident() - std::min(before, node.resident()), 256 * mib);
  expect_that_others_felt_nothing();
}

TEST_F(hostile, what_passes_credit_is_refused_and_ends_its_connection) {
  hostile_agent liar(fleet.net(), node.address(), 0xbad5, "hostile", true);
  until([&] { return liar.welcomed(); });
  // Within what may wait to be read, and many times what it was given at first.
  for (std::uint64_t number = 1; number <= 50; ++number)
    liar.send(many_tenancies(liar, 0xbad5, number, 500, 1));
  EXPECT_EQ(farewell_of(liar), "more was sent than credit allows");
  EXPECT_EQ(counted("tenure_node_batches_refused_total"), 1);
  EXPECT_EQ(counted("tenure_node_sessions_flooding_total"), 0);
  expect_that_others_felt_nothing();
}

}  // namespace
}  // namespace tenure::testing
