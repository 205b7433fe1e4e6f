#pragma once

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/kernel_world.hpp"
#include "tests/process/child.hpp"

namespace tenure::testing {

using nlohmann::json;
using std::chrono::seconds;

/// Two hosts' namespaces with a server in `east`, an agent that watches both, and its node.
struct watched_pair : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";
  std::string ipman = folder / "ipman.sock";
  std::string pin = "/sys/fs/bpf/tenure-restart-" + std::to_string(::getpid());
  std::unique_ptr<kernel_world> world;
  std::unique_ptr<child> node;
  std::unique_ptr<child> agent;
  std::unique_ptr<child> server;
  std::vector<std::string> node_under = {};   ///< what the node is started by
  std::vector<std::string> agent_under = {};  ///< and each agent

  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    world = std::make_unique<kernel_world>();
    auto under = node_under;
    under.insert(under.end(), {tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http", "", "--output",
                               output, "--hold", "1s", "--routable", "10.77.0.0/16"});
    node = std::make_unique<child>(under);
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
    auto all = agent_under;
    all.insert(all.end(),
               {tenure_binary(), "agent", "--node", log.substr(at, log.find_first_of(", \n", at) - at),
                "--ipman-socket", ipman, "--pin", pin, "--netns", world->path("west"), "--netns",
                world->path("east"), "--linger", "50ms", "--heartbeat", "200ms", "--http", ""});
    all.insert(all.end(), more.begin(), more.end());
    agent = std::make_unique<child>(all);
    ASSERT_TRUE(agent->says("connected to node")) << agent->err();
    ASSERT_TRUE(agent->says("agent: nodes")) << agent->err();
  }

  void kill_agent() {
    agent->signal(SIGKILL);
    ASSERT_EQ(agent->wait(), 128 + SIGKILL);
  }

  /// @returns the ports that so many connections from west to east had, none of which was used before
  std::set<int> talk(int count) {
    const int first = next_port_;
    next_port_ += count;
    child client(
        {"nsenter", "--net=" + world->path("west"), "perl", "-MIO::Socket::INET", "-e",
         "for (" + std::to_string(first) + " .. " + std::to_string(first + count - 1) +
             ") { my $c = IO::Socket::INET->new(LocalPort => $_, PeerAddr => \"10.77.0.2:8000\", Timeout => "
             "5) or die; "
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

 private:
  int next_port_ = 50'000;
};

}  // namespace tenure::testing
