#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "tests/process/hostile_agent.hpp"
#include "tests/process/played_fleet.hpp"
#include "tests/process/written_records.hpp"
#include "tests/transport/certificates.hpp"

// [[allow]]: which certificate may claim which addresses and workloads, with real processes and TLS.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

/// An authority, a node's certificate and agents' of this name.
struct allowing : ::testing::Test {
  transport::authority trusted;
  transport::certificate_folder certificates;
  temporary_folder folder;
  std::string output = folder / "out.ndjson";

  std::vector<std::string> node_options(std::vector<std::string> more) {
    const auto files = certificates.put(trusted.issue({.uris = {"spiffe://prod/tenure/node/one"}}),
                                        trusted.certificate(), "node");
    std::vector<std::string> all{"--hold",    "500ms",   "--tls-certificate", files.certificate,
                                 "--tls-key", files.key, "--tls-authority",   files.authority};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  transport::asio_options as(const std::string& name) {
    const auto files = certificates.put(trusted.issue({.uris = {"spiffe://prod/tenure/agent/" + name}}),
                                        trusted.certificate(), name);
    auto credentials = transport::tls_credentials::load(files);
    EXPECT_TRUE(credentials);
    transport::asio_options o;
    o.credentials = *credentials;
    o.allowed = {*transport::spiffe_pattern::parse("spiffe://prod/tenure/node/*")};
    return o;
  }

  /// A thief claims every address of the fleet again and again, for a workload of its own.
  load::findings play_beside_a_thief(const std::vector<std::string>& rules, double& refused) {
    node_process node(output, node_options(rules));
    auto pace = brisk();
    pace.flows_a_second = 4'000;
    played_fleet fleet(node.address(), churning_fleet(), pace, as("honest"));
    EXPECT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
    const auto thief_net = transport::make_asio_transport(as("thief"));
    hostile_agent thief(*thief_net, node.address(), 0xbad);
    EXPECT_TRUE(fleet.play_until([&] { return thief.welcomed(); }, seconds{60}));
    std::uint64_t number = 0;
    fleet.play_until(
        [&] {
          if (thief.acknowledged() < number) return false;
          wire::batch b = thief.claim(++number, "10.0.0.1", "thief", 10 * second);
          b.tenancies.clear();
          const auto said = b.evidence[0];
          b.evidence.clear();
          for (std::uint32_t i = 0; i < 400; ++i) {
            auto e = said;
            e.endpoint = {fleet.fleet().planned().address_of(i), 0};
            e.tenancy.sequence = 1 + i;
            b.tenancies.push_back({e.tenancy, e.endpoint, e.workload});
            b.evidence.push_back(e);
          }
          thief.send(b);
          return false;
        },
        seconds{4});
    EXPECT_TRUE(fleet.settle());
    refused = node.metric_now("tenure_node_claims_refused_total");
    if (refused > 0) {
      EXPECT_NE(node.process().err().find("agent hostile (spiffe://prod/tenure/agent/thief) may not claim "),
                std::string::npos)
          << node.process().err();
    }
    EXPECT_EQ(node.end(), 0) << node.process().err();
    thief_net->stop();
    return fleet.judge(output);
  }
};

TEST_F(allowing, what_a_certificate_may_not_claim_changes_no_answer) {
  double refused = 0;
  const auto found = play_beside_a_thief(
      {"--allow", "agent=spiffe://prod/tenure/agent/honest addresses=0.0.0.0/0 addresses=::/0 workloads=*",
       "--allow", "agent=spiffe://prod/tenure/agent/thief addresses=192.0.2.0/24 workloads=thief"},
      refused);
  expect_all_there_and_right(found);
  EXPECT_GT(found.attributed, found.records / 4);
  EXPECT_GE(refused, 400);
}

/// Who names an end, as whoever reads the output sees it; "nobody" where it is null.
std::string named(const nlohmann::json& record, const char* end) {
  const auto& name = record.at(end);
  return name.is_null() ? "nobody" : name.get<std::string>();
}

// The owner's flow goes to an address that only the thief claims, and the thief's comes from one that it may
// not claim either.
TEST_F(allowing, what_a_refused_claim_was_about_has_no_owner_rather_than_a_wrong_one) {
  node_process node(output, node_options({"--allow",
                                          "agent=spiffe://prod/tenure/agent/owner "
                                          "addresses=198.51.100.0/24 workloads=mine",
                                          "--allow",
                                          "agent=spiffe://prod/tenure/agent/thief "
                                          "addresses=192.0.2.0/24 workloads=thief"}));
  const auto owner_net = transport::make_asio_transport(as("owner"));
  const auto thief_net = transport::make_asio_transport(as("thief"));
  hostile_agent owner(*owner_net, node.address(), 0xa1, "owner");
  hostile_agent thief(*thief_net, node.address(), 0xbad, "thief");
  ASSERT_TRUE(eventually([&] { return owner.welcomed() && thief.welcomed(); }, seconds{60}));
  thief.send(thief.claim(1, "203.0.113.9", "thief", 10 * second));
  ASSERT_TRUE(eventually([&] { return thief.acknowledged() == 1; }, seconds{60}));
  // Flows that open when both clocks are known.
  const nanos known = owner.now();
  ASSERT_TRUE(eventually([&] { return owner.now() > known + second / 2; }, seconds{60}));
  const auto flow_to = [](wire::batch b, const char* from, const char* to, nanos now) {
    flow f;
    f.near_address = *address::parse(from);
    f.near_port = 40'000;
    f.far_address = *address::parse(to);
    f.far_port = 443;
    f.near_tenancy = b.tenancies[0].id;
    f.near_workload = workload_id{1};
    const nanos opened = now - second / 10;
    f.times = {.opened = opened, .established = opened, .last_received = now, .closed = now};
    f.times.is_established = true;
    b.flows.push_back(f);
    return b;
  };
  // The thief claims the far end for all the time in which the owner's flow is open.
  const nanos now = owner.now() - second / 10;
  thief.send(thief.claim(2, "203.0.113.9", "thief", 10 * second));
  owner.send(
      flow_to(owner.claim(1, "198.51.100.1", "mine", 10 * second), "198.51.100.1", "203.0.113.9", now));
  thief.send(
      flow_to(thief.claim(3, "198.51.100.2", "thief", 10 * second), "198.51.100.2", "198.51.100.1", now));
  ASSERT_TRUE(
      eventually([&] { return owner.acknowledged() == 1 && thief.acknowledged() == 3; }, seconds{60}));
  EXPECT_EQ(node.metric_now("tenure_node_claims_refused_total"), 4) << "three of evidence, one near end";
  EXPECT_EQ(node.end(), 0) << node.process().err();
  std::map<std::string, std::string> ends;
  for (const auto& r : records_in(output))
    ends[named(r, "source_workload")] = named(r, "destination_workload");
  // What the owner may claim names it, at the end of the thief's flow as well; the thief's name stands
  // nowhere.
  EXPECT_EQ(ends, (std::map<std::string, std::string>{{"mine", "nobody"}, {"nobody", "mine"}}));
  owner_net->stop();
  thief_net->stop();
}

TEST_F(allowing, without_rules_the_same_thief_does_harm) {
  double refused = 0;
  const auto found = play_beside_a_thief({}, refused);
  EXPECT_EQ(found.lost, 0U);
  EXPECT_EQ(refused, 0);
  EXPECT_TRUE(found.misattributed > 0 || found.attributed < found.records / 4)
      << "or the test above proves nothing: " << found.attributed << " of " << found.records;
}

TEST_F(allowing, an_incarnation_stays_with_the_certificate_that_brought_it) {
  node_process node(output, node_options({}));
  const auto owner_net = transport::make_asio_transport(as("owner"));
  const auto thief_net = transport::make_asio_transport(as("thief"));
  hostile_agent owner(*owner_net, node.address(), 0xa1, "owner");
  ASSERT_TRUE(eventually([&] { return owner.welcomed(); }, seconds{60}));
  hostile_agent thief(*thief_net, node.address(), 0xa1, "owner");
  EXPECT_EQ(thief.farewell(), "this incarnation is of an agent with another certificate");
  EXPECT_EQ(node.metric_now("tenure_node_takeovers_refused_total"), 1);
  owner.send(owner.claim(1, "198.51.100.1", "mine"));
  EXPECT_TRUE(eventually([&] { return owner.acknowledged() == 1; }, seconds{60})) << "it felt nothing";
  // With the same name, as after a rotation of the certificate, the later connection wins.
  hostile_agent owner_again(*owner_net, node.address(), 0xa1, "owner");
  EXPECT_TRUE(eventually([&] { return owner_again.welcomed(); }, seconds{60}));
  EXPECT_EQ(owner.farewell(), "");
  owner_net->stop();
  thief_net->stop();
}

TEST_F(allowing, rules_are_read_from_a_file_and_refused_with_their_place) {
  const std::string config = folder / "t.toml";
  std::ofstream(config) << "[node]\nhold = \"1s\"\n[[allow]]\nagent = \"spiffe://prod/tenure/agent/*\"\n"
                           "addresses = [\"10.0.0.0/8\"]\nworkloads = [\"checkout\", \"cart-*\"]\n";
  child plain({tenure_binary(), "node", "--config", config, "--output", output});
  EXPECT_EQ(plain.wait(), 2);
  EXPECT_NE(plain.err().find("--allow goes by certificates; give --tls-certificate"), std::string::npos)
      << plain.err();
  {
    node_process node(output, node_options({"--config", config}));
    EXPECT_EQ(node.end(), 0) << node.process().err();
  }
  std::ofstream(config)
      << "[[allow]]\nagent = \"spiffe://prod/tenure/agent/*\"\naddresses = [\"10.0.0.0/99\"]\n"
         "workloads = [\"checkout\"]\n";
  child broken({tenure_binary(), "node", "--config", config, "--output", output});
  EXPECT_EQ(broken.wait(), 2);
  EXPECT_NE(broken.err().find("t.toml:1: node.allow: expected agent=SPIFFE-ID, addresses=CIDR"),
            std::string::npos)
      << broken.err();
}

}  // namespace
}  // namespace tenure::testing
