#include <functional>
#include <random>

#include <gtest/gtest.h>

#include "tests/process/loaded_cluster.hpp"
#include "tests/transport/certificates.hpp"
#include "tests/transport/raw_socket.hpp"

// Who is heard at the doors of a cluster, and what comes of those who are not.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

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

/// Certificates of a cluster, by the name of their file.
struct cluster_certificates {
  transport::authority trusted;
  transport::authority foreign;
  transport::certificate_folder folder;

  transport::tls_files put(const std::string& name, const std::string& role, long until = 3'600,
                           bool of_foreign = false) {
    const auto& authority = of_foreign ? foreign : trusted;
    return folder.put(authority.issue({.uris = {"spiffe://t/tenure/" + role + "/" + name}, .until = until}),
                      trusted.certificate(), name);
  }
  std::vector<std::string> options(const transport::tls_files& f) const {
    return {"--tls-certificate", f.certificate.string(), "--tls-key",
            f.key.string(),      "--tls-authority",      f.authority.string()};
  }
  static transport::asio_options net(const transport::tls_files& f) {
    transport::asio_options o;
    auto credentials = transport::tls_credentials::load(f);
    EXPECT_TRUE(credentials);
    o.credentials = *credentials;
    return o;
  }
};

/// How many connections of a node ended so.
double closed(const loaded_cluster& cluster, std::size_t i, const std::string& why) {
  return metric(cluster.node(i).metrics(),
                "tenure_transport_links_closed_total{links=\"peers\",reason=\"" + why + "\"}");
}

TEST(cluster, certificates_that_are_not_a_nodes_are_refused_and_new_ones_are_taken_while_running) {
  cluster_certificates files;
  constexpr long short_life = 9;  // seconds
  cluster_wish wish;
  wish.nodes = 5;
  wish.at_first = 2;
  const auto agents = files.put("fleet", "agent", short_life);
  wish.net = files.net(agents);
  wish.own = {files.options(files.put("n0", "node", short_life)),
              files.options(files.put("n1", "node", short_life)), files.options(files.put("n2", "node", -1)),
              files.options(files.put("n3", "node", 3'600, true)), files.options(files.put("n4", "agent"))};
  wish.options = {"--node-id", "spiffe://t/tenure/node/*"};
  const auto begin = boot_clock{}.now();
  loaded_cluster cluster(wish);
  for (const auto* name : {"n0", "n1"}) files.put(name, "node");
  files.put("fleet", "agent");

  const std::vector<std::string> reasons{"its certificate is not valid now",
                                         "it has no certificate of an authority that is trusted here",
                                         "it proved to be one who may not connect here"};
  for (std::size_t i = 0; i < reasons.size(); ++i) cluster.add(2 + i);
  for (const auto& why : reasons)
    EXPECT_TRUE(cluster.fleet().play_until([&] { return closed(cluster, 0, why) > 0; }, seconds{30})) << why;
  EXPECT_TRUE(cluster.fleet().play_until([&] { return cluster.seen_by(0) == 2; }, seconds{30}));
  for (std::size_t i = 0; i < reasons.size(); ++i) cluster.node(2 + i).kill();

  // What they began with is over: links that are up live on, and new ones show what was put there meanwhile.
  cluster.fleet().play_until([&] { return cluster.fleet().now() - begin > (short_life + 1) * second; },
                             seconds{60});
  EXPECT_EQ(cluster.fleet().fleet().counters().disconnects, 0U);
  EXPECT_EQ(cluster.seen_by(0), 2U);
  for (std::uint32_t a = 0; a < wish.who.agents; ++a) cluster.fleet().fleet().cut(a);
  cluster.node(1).kill();
  cluster.node(1).start();
  EXPECT_TRUE(cluster.fleet().play_until([&] { return cluster.seen_by(0) == 2 && cluster.seen_by(1) == 2; },
                                         seconds{60}));
  EXPECT_TRUE(cluster.connected());
  cluster.fleet().play(seconds{1});
  cluster.finish();
}

/// Forty connections that say nonsense, half of it in frames.
void say_nonsense(const std::string& host, std::uint16_t port) {
  std::minstd_rand draw(4743);
  for (int i = 0; i < 40; ++i) {
    transport::raw_socket visitor;
    visitor.connect(port, host);
    std::vector<std::byte> bytes(8 * (1 + draw() % 40));
    for (auto& b : bytes) b = static_cast<std::byte>(draw());
    if (i % 2 == 0) visitor.write_length(static_cast<std::uint32_t>(bytes.size()));  // or that is garbage too
    visitor.write(bytes);
    visitor.shut();
  }
}

/// The same from one whom its certificate lets in. @returns how many of twenty links were closed
int say_nonsense_within(const transport::asio_options& who, const std::string& door,
                        const std::function<wire::frame(std::minstd_rand&)>& first) {
  const auto net = transport::make_asio_transport(who);
  std::minstd_rand draw(4743);
  std::atomic<int> closed{0};
  std::vector<transport::link_ptr> links;
  for (int i = 0; i < 20; ++i) {
    links.push_back(
        net->dial(door, {[](const transport::frame&) {}, [&](transport::close_reason) { ++closed; }}));
    if (i % 2 == 0) links.back()->send(first(draw));
    transport::frame nonsense(1 + draw() % 40);
    for (auto& word : nonsense) word = (std::uint64_t{draw()} << 32) | draw();
    links.back()->send(nonsense);
  }
  eventually([&] { return closed == 20; }, seconds{30});
  net->stop();
  return closed;
}

TEST(cluster, garbage_at_every_door_costs_its_connection_alone) {
  cluster_certificates files;
  cluster_wish wish;
  wish.nodes = wish.at_first = 2;
  wish.net = files.net(files.put("fleet", "agent"));
  wish.own = {files.options(files.put("n0", "node")), files.options(files.put("n1", "node"))};
  wish.options = {"--node-id", "spiffe://t/tenure/node/*"};
  loaded_cluster two(wish);
  const auto at = hosts::address(0);
  const auto agents = two.node(0).address();
  for (const std::uint16_t port : {static_cast<std::uint16_t>(std::stoi(agents.substr(agents.find(':') + 1))),
                                   std::uint16_t{4743}, two.node(0).http()})
    say_nonsense(at, port);
  two.fleet().play(milliseconds{500});
  const auto hello_of_agent = [](std::minstd_rand& draw) {
    return wire::encode(wire::hello{wire::protocol_version, draw(), "stranger", true});
  };
  const auto hello_of_node = [](std::minstd_rand& draw) {
    return wire::encode(wire::peer_hello{wire::protocol_version, draw(), "stranger"});
  };
  EXPECT_EQ(say_nonsense_within(files.net(files.put("stranger", "agent")), agents, hello_of_agent), 20);
  EXPECT_EQ(say_nonsense_within(files.net(files.put("n9", "node")), at + ":4743", hello_of_node), 20);
  two.fleet().play(seconds{1});
  EXPECT_EQ(two.fleet().fleet().counters().disconnects, 0U);
  EXPECT_EQ(two.seen_by(1), 2U);
  EXPECT_GT(two.node(0).metric_now("tenure_node_flows_from_nodes_total"), 0);
  const auto found = two.finish();
  EXPECT_GT(found.attributed, found.records / 2);
}

}  // namespace
}  // namespace tenure::testing
