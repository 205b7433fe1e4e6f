#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/etcd_process.hpp"
#include "tests/process/played_fleet.hpp"

// Several real nodes that are one cluster, under load from a fleet that knows the truth.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Ports that nobody listened on a moment ago, all different.
std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::vector<int> sockets;
  std::vector<std::uint16_t> ports;
  while (ports.size() < count) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockets.push_back(fd);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&at), size), 0);          // NOLINT: as sockets are
    EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size), 0);  // NOLINT: likewise
    ports.push_back(ntohs(at.sin_port));
  }
  for (const int fd : sockets) ::close(fd);
  return ports;
}

/// Nodes of one cluster on loopback.
class node_cluster {
 public:
  /// @param etcd says who is there; empty: a list does
  node_cluster(const temporary_folder& folder, std::size_t count, const std::vector<std::string>& options,
               const std::string& etcd = {}) {
    const auto ports = free_ports(count);
    std::vector<std::string> members;
    if (!etcd.empty()) members = {"--etcd", etcd};
    for (std::size_t i = 0; etcd.empty() && i < count; ++i) {
      members.push_back("--member");
      members.push_back("n" + std::to_string(i) + "=127.0.0.1:" + std::to_string(ports[i]));
    }
    for (std::size_t i = 0; i < count; ++i) {
      auto own = options;
      own.insert(own.end(), members.begin(), members.end());
      for (const std::string& word :
           std::vector<std::string>{"--node-name", "n" + std::to_string(i), "--peer-listen",
                                    "127.0.0.1:" + std::to_string(ports[i])})
        own.push_back(word);
      outputs.push_back(folder / ("out" + std::to_string(i) + ".ndjson"));
      nodes.push_back(std::make_unique<node_process>(outputs.back(), own));
    }
  }
  std::vector<std::string> addresses() const {
    std::vector<std::string> all;
    for (const auto& n : nodes) all.push_back(n->address());
    return all;
  }
  /// How many nodes answer this one, itself included.
  std::size_t seen_by(std::size_t i) const {
    const auto text = http_get(nodes[i]->http(), "/v1/cluster");
    if (text.empty()) return 0;
    std::size_t seen = 0;
    const auto cluster = nlohmann::json::parse(text);
    for (const auto& n : cluster.at("nodes")) seen += n.at("standing") == "away" ? 0 : 1;
    return seen;
  }

  std::vector<std::string> outputs;
  std::vector<std::unique_ptr<node_process>> nodes;
};

load::fleet_options churning_fleet() {
  load::fleet_options o;
  o.agents = 21;
  // Addresses of many prefixes, so that every node holds some.
  o.addresses = 8'000;
  o.workloads = 40;
  o.lifetime = 4 * second;
  o.longest_flow = second / 4;
  o.linger = second / 10;
  return o;
}

load::pace_options brisk() {
  load::pace_options p;
  p.flows_a_second = 6'000;
  p.flows_a_batch = 50;
  p.heartbeat = 400 * millisecond;
  p.repeat = 6 * second;
  return p;
}

/// How often: less in `make test`, more in `make soak`.
std::size_t kills() {
  const char* text = std::getenv("TENURE_KILLS");
  return text == nullptr ? 3 : static_cast<std::size_t>(std::atoi(text));
}

void expect_all_there_and_right(const load::findings& f) {
  EXPECT_EQ(f.lost, 0U) << told(f);
  EXPECT_EQ(f.misattributed, 0U) << told(f);
  EXPECT_EQ(f.strangers, 0U) << told(f);
  EXPECT_EQ(f.unreadable, 0U) << told(f);
}

TEST(cluster, three_nodes_answer_as_one) {
  temporary_folder folder;
  node_cluster three(folder, 3, {"--hold", "900ms"});
  played_fleet fleet(three.addresses(), churning_fleet(), brisk());
  ASSERT_TRUE(
      eventually([&] { return three.seen_by(0) + three.seen_by(1) + three.seen_by(2) == 9; }, seconds{60}));
  ASSERT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
  fleet.play(seconds{6});
  ASSERT_TRUE(fleet.settle());
  for (const auto& n : three.nodes) {
    EXPECT_GT(n->metric_now("tenure_node_flows_forwarded_total"), 0);
    EXPECT_GT(n->metric_now("tenure_node_flows_from_nodes_total"), 0);
  }
  child query(
      {tenure_binary(), "query", "cluster", "--http", "127.0.0.1:" + std::to_string(three.nodes[1]->http())});
  EXPECT_EQ(query.wait(), 0) << query.err();
  EXPECT_NE(query.out().find("as n1 sees it"), std::string::npos) << query.out();
  for (const auto& n : three.nodes) EXPECT_EQ(n->end(), 0) << n->process().err();
  const auto found = fleet.judge(three.outputs);
  expect_all_there_and_right(found);
  EXPECT_EQ(found.flows, fleet.fleet().counters().flows_sealed);
  RecordProperty("attributed_of_thousand", static_cast<int>(1000 * found.attributed / found.records));
  EXPECT_GT(found.attributed, found.records / 3) << "each node names the far ends of its prefixes";
}

TEST(cluster, any_node_killed_under_load_nothing_is_lost_and_nobody_named_wrongly) {
  temporary_folder folder;
  node_cluster three(folder, 3, {"--hold", "900ms"});
  played_fleet fleet(three.addresses(), churning_fleet(), brisk());
  ASSERT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
  for (std::size_t i = 0; i < kills(); ++i) {
    fleet.play(milliseconds{1'500});
    auto& victim = *three.nodes[i % 3];
    victim.kill();
    fleet.play(milliseconds{i % 2 == 0 ? 700 : 4'000});  // with and without being given up
    victim.start();
    ASSERT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
  }
  fleet.play(seconds{2});
  ASSERT_TRUE(fleet.settle());
  for (const auto& n : three.nodes) EXPECT_EQ(n->end(), 0) << n->process().err();
  const auto found = fleet.judge(three.outputs);
  expect_all_there_and_right(found);
  EXPECT_EQ(found.flows, fleet.fleet().counters().flows_sealed);
  EXPECT_GT(found.attributed, found.records / 10) << "or there was nothing to get wrong";
}

TEST(cluster, with_etcd_nodes_leave_and_come_back_under_load) {
  temporary_folder folder;
  cluster::etcd_process etcd;
  node_cluster three(folder, 3, {"--hold", "2s"}, etcd.endpoint());
  played_fleet fleet(three.addresses(), churning_fleet(), brisk());
  ASSERT_TRUE(
      eventually([&] { return three.seen_by(0) + three.seen_by(1) + three.seen_by(2) == 9; }, seconds{60}));
  ASSERT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
  for (std::size_t i = 0; i < 2; ++i) {
    fleet.play(seconds{2});
    auto& leaver = *three.nodes[i];
    leaver.process().signal(SIGTERM);
    EXPECT_EQ(leaver.process().wait(seconds{20}), 0) << leaver.process().err();
    fleet.play(seconds{1});
    leaver.start();
    ASSERT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
  }
  fleet.play(seconds{2});
  ASSERT_TRUE(fleet.settle());
  for (const auto& n : three.nodes) EXPECT_EQ(n->end(), 0) << n->process().err();
  const auto found = fleet.judge(three.outputs);
  expect_all_there_and_right(found);
  EXPECT_EQ(found.flows, fleet.fleet().counters().flows_sealed);
}

TEST(cluster, without_certificates_nodes_are_heard_on_loopback_only) {
  temporary_folder folder;
  child open({tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http", "", "--output", folder / "out",
              "--node-name", "a", "--member", "a=10.0.0.1:4743", "--peer-listen", "0.0.0.0:0"});
  EXPECT_EQ(open.wait(), 2);
  EXPECT_NE(open.err().find("--plain-peers"), std::string::npos) << open.err();
  child stranger({tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http", "", "--output",
                  folder / "out", "--node-name", "b", "--member", "a=127.0.0.1:4743", "--peer-listen",
                  "127.0.0.1:0"});
  EXPECT_EQ(stranger.wait(), 2);
  EXPECT_NE(stranger.err().find("none is called 'b'"), std::string::npos) << stranger.err();
}

}  // namespace
}  // namespace tenure::testing
