#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/kernel_world.hpp"
#include "tests/process/child.hpp"

// An agent that is killed, and the next one: what it was told, and what went on meanwhile.
namespace tenure::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

struct agent_restart : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";
  std::string ipman = folder / "ipman.sock";
  std::string pin = "/sys/fs/bpf/tenure-restart-" + std::to_string(::getpid());
  std::unique_ptr<kernel_world> world;
  std::unique_ptr<child> node;
  std::unique_ptr<child> agent;
  std::unique_ptr<child> server;

  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    world = std::make_unique<kernel_world>();
    node = std::make_unique<child>(std::vector<std::string>{tenure_binary(), "node", "--listen",
                                                            "127.0.0.1:0", "--http", "", "--output", output,
                                                            "--hold", "1s", "--routable", "10.77.0.0/16"});
    ASSERT_TRUE(node->says("agents 127.0.0.1:")) << node->err();
    server = std::make_unique<child>(std::vector<std::string>{
        "nsenter", "--net=" + world->path("east"), "perl", "-MIO::Socket::INET", "-e",
        "$| = 1; my $s = IO::Socket::INET->new(Listen => 64, LocalPort => 8000, ReuseAddr => 1) or die; "
        "print "
        "STDERR \"ready\"; while (my $c = $s->accept) { sysread($c, my $b, 1); syswrite($c, $b); close $c "
        "}"});
    ASSERT_TRUE(server->says("ready")) << server->err();
    start_agent();
  }
  void TearDown() override {
    agent.reset();
    node.reset();
    server.reset();
    std::filesystem::remove_all(pin);
  }

  void start_agent(const std::vector<std::string>& more = {}) {
    const auto log = node->err();
    const auto at = log.find("agents 127.0.0.1:") + 7;
    std::vector<std::string> all{tenure_binary(),  "agent",
                                 "--node",         log.substr(at, log.find_first_of(", \n", at) - at),
                                 "--ipman-socket", ipman,
                                 "--pin",          pin,
                                 "--netns",        world->path("west"),
                                 "--netns",        world->path("east"),
                                 "--linger",       "50ms",
                                 "--heartbeat",    "200ms",
                                 "--http",         ""};
    all.insert(all.end(), more.begin(), more.end());
    agent = std::make_unique<child>(all);
    ASSERT_TRUE(agent->says("connected to node")) << agent->err();
    ASSERT_TRUE(agent->says("agent: nodes")) << agent->err();
  }

  void kill_agent() {
    agent->signal(SIGKILL);
    ASSERT_EQ(agent->wait(), 128 + SIGKILL);
  }

  /// @returns the ports that so many connections from west to east had
  std::set<int> talk(int count) const {
    child client(
        {"nsenter", "--net=" + world->path("west"), "perl", "-MIO::Socket::INET", "-e",
         "for (1 .. " + std::to_string(count) +
             ") { my $c = IO::Socket::INET->new(PeerAddr => \"10.77.0.2:8000\", Timeout => 5) or die; "
             "syswrite($c, \"x\"); sysread($c, my $b, 1) == 1 or die; print $c->sockport, \"\\n\"; }"});
    EXPECT_EQ(client.wait(), 0) << client.err();
    std::istringstream lines(client.out());
    std::set<int> ports;
    for (int port = 0; lines >> port;) ports.insert(port);
    return ports;
  }

  /// The records of connections from these ports, told by that end, once all are there.
  std::vector<json> told(const std::set<int>& ports, const std::string& reporter) const {
    std::vector<json> found;
    (void)eventually(
        [&] {
          found.clear();
          std::ifstream file(output);
          for (std::string line; std::getline(file, line);) {
            auto r = json::parse(line, nullptr, false);
            if (r.is_object() && r.at("reporter") == reporter && ports.contains(r.at("source_port")))
              found.push_back(std::move(r));
          }
          return found.size() >= ports.size();
        },
        seconds{30});
    return found;
  }

  int ask(const std::vector<std::string>& what) const {
    std::vector<std::string> all{tenure_binary(), "ipman"};
    all.insert(all.end(), what.begin(), what.end());
    all.insert(all.end(), {"--ipman-socket", ipman});
    child asked(all);
    return asked.wait();
  }

  /// Null: it is not assigned.
  json assignment(const std::string& endpoint) const {
    child list({tenure_binary(), "ipman", "list", "--json", "--ipman-socket", ipman});
    EXPECT_EQ(list.wait(), 0) << list.err();
    std::istringstream lines(list.out());
    for (std::string line; std::getline(lines, line);)
      if (auto a = json::parse(line); a.at("endpoint") == endpoint) return a;
    return {};
  }
};

TEST_F(agent_restart, what_begins_and_ends_while_no_agent_runs_is_told_by_the_next) {
  const auto before = talk(5);
  EXPECT_EQ(told(before, "source").size(), before.size());
  ASSERT_NO_FATAL_FAILURE(kill_agent());
  const auto between = talk(20);
  ASSERT_NO_FATAL_FAILURE(start_agent());
  const auto after = talk(5);
  for (const auto* reporter : {"source", "destination"}) {
    const auto records = told(between, reporter);
    EXPECT_EQ(records.size(), between.size()) << agent->err();
    for (const auto& r : records) {
      EXPECT_FALSE(r.at("established").is_null()) << r;
      EXPECT_TRUE(r.at(std::string(reporter) + "_tenancy").is_null()) << "of an agent that is gone: " << r;
    }
    EXPECT_EQ(told(after, reporter).size(), after.size()) << agent->err();
  }
}

TEST_F(agent_restart, one_that_ends_in_order_leaves_its_programs_only_when_told_to) {
  agent->signal(SIGTERM);
  ASSERT_EQ(agent->wait(), 0) << agent->err();
  EXPECT_FALSE(std::filesystem::exists(pin + "/going_on"));
  ASSERT_NO_FATAL_FAILURE(start_agent({"--leave-programs"}));
  agent->signal(SIGTERM);
  ASSERT_EQ(agent->wait(), 0) << agent->err();
  const auto between = talk(20);
  ASSERT_NO_FATAL_FAILURE(start_agent());
  for (const auto* reporter : {"source", "destination"})
    EXPECT_EQ(told(between, reporter).size(), between.size()) << agent->err();
}

TEST_F(agent_restart, what_was_assigned_begins_anew_where_it_was_held_to_the_end) {
  for (const char* a : {"10.77.0.3/24", "10.77.0.4/24", "10.77.0.5/24"})
    world->ip(std::string("-n @east addr add ") + a + " dev @w");
  const auto set = [&](const char* what, const char* who, const char* ns) {
    EXPECT_EQ(ask({"set", what, who, "--netns", world->path(ns), "--label", "zone=b"}), 0);
  };
  set("10.77.0.1", "client", "west");
  set("10.77.0.2", "server", "east");
  set("10.77.0.3", "taken-back", "east");
  set("10.77.0.4", "vanished", "east");
  set("10.77.0.5:443", "ingress", "east");
  set("10.78.0.2", "replaced", "north");
  EXPECT_EQ(ask({"del", "10.77.0.3"}), 0);
  const auto first = assignment("10.77.0.2");
  // Gone while the agent was there to see it: whoever has the address next is somebody else.
  world->ip("-n @east addr del 10.77.0.4/24 dev @w");
  ASSERT_TRUE(eventually([&] { return assignment("10.77.0.4").is_null(); }, seconds{20}));
  ASSERT_NO_FATAL_FAILURE(kill_agent());
  world->ip("-n @east addr add 10.77.0.4/24 dev @w");
  world->ip("netns del @north");
  world->ip("netns add @north");
  world->ip("-n @north addr add 10.78.0.2/24 dev lo");
  ASSERT_NO_FATAL_FAILURE(start_agent());
  for (const auto& [endpoint, who] :
       {std::pair{"10.77.0.1", "client"}, {"10.77.0.2", "server"}, {"10.77.0.5:443", "ingress"}}) {
    const auto again = assignment(endpoint);
    ASSERT_FALSE(again.is_null()) << endpoint << "\n" << agent->err();
    EXPECT_EQ(again.at("workload"), who);
    EXPECT_EQ(again.at("labels").at("zone"), "b");
  }
  const auto second = assignment("10.77.0.2");
  EXPECT_NE(second.at("tenancy"), first.at("tenancy"));
  EXPECT_GT(second.at("from_ns"), first.at("verified_ns"));
  for (const char* gone : {"10.77.0.3", "10.77.0.4", "10.78.0.2"})
    EXPECT_TRUE(assignment(gone).is_null()) << gone;
  EXPECT_TRUE(agent->says("3 of 5 assignments from before begin anew")) << agent->err();
  const auto named = talk(3);
  for (const auto& r : told(named, "source")) EXPECT_EQ(r.at("source_workload"), "client") << r;
  EXPECT_EQ(ask({"del", "10.77.0.2"}), 0);
}

}  // namespace
}  // namespace tenure::testing
