#include <cctype>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/kernel_world.hpp"
#include "tests/process/child.hpp"
#include "tests/process/written_records.hpp"

// Agent and node as real processes, with real sockets in namespaces of this test's own.
namespace tenure::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

bool without_bpf() {
  const char* without = std::getenv("TENURE_WITHOUT_BPF");
  return without != nullptr && std::string(without) == "1";
}

/// The records in a file, by flow_id: a record that was written twice counts once.
std::map<std::string, json> records(const std::string& path) {
  std::map<std::string, json> all;
  for (auto& r : records_in(path)) {
    const std::string id = r.at("flow_id");
    all[id] = std::move(r);
  }
  return all;
}

std::uint16_t port_in(const std::string& log, const std::string& before) {
  std::smatch found;
  return std::regex_search(log, found, std::regex{before + "127.0.0.1:(\\d+)"})
             ? static_cast<std::uint16_t>(std::stoi(found[1]))
             : std::uint16_t{0};
}

struct fleet : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";
  std::string ipman = folder / "ipman.sock";
  std::string pin = "/sys/fs/bpf/tenure-process-" + std::to_string(::getpid());
  std::unique_ptr<kernel_world> world;

  void SetUp() override {
    if (without_bpf()) GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    world = std::make_unique<kernel_world>();
  }
  void TearDown() override { std::filesystem::remove_all(pin); }

  std::vector<std::string> node_arguments(std::uint16_t port) const {
    return {tenure_binary(), "node",        "--listen",   "127.0.0.1:" + std::to_string(port),
            "--http",        "127.0.0.1:0", "--output",   output,
            "--hold",        "1s",          "--routable", "10.77.0.0/16"};
  }
  /// Only this world's namespaces: the kernel programs see every socket of the machine.
  std::vector<std::string> agent_arguments(const std::string& command) const {
    return {tenure_binary(),  command,
            "--netns",        world->path("west"),
            "--netns",        world->path("east"),
            "--ipman-socket", ipman,
            "--pin",          pin,
            "--heartbeat",    "200ms",
            "--linger",       "50ms",
            "--http",         "127.0.0.1:0"};
  }

  /// Assigns, and waits until the holding has been verified for a while: a flow within the clock error of its
  /// beginning would rightly stay unattributed.
  void assign(const std::string& address, const std::string& workload, const std::string& ns) const {
    child set({tenure_binary(), "ipman", "set", address, workload, "--ipman-socket", ipman, "--netns",
               world->path(ns)});
    ASSERT_EQ(set.wait(), 0) << set.err();
    EXPECT_TRUE(eventually([&] { return verified_for(address) > 500'000'000; }, seconds{20})) << address;
  }

  std::int64_t verified_for(const std::string& address) const {
    child list({tenure_binary(), "ipman", "list", "--json", "--ipman-socket", ipman});
    EXPECT_EQ(list.wait(), 0) << list.err();
    std::istringstream lines(list.out());
    for (std::string line; std::getline(lines, line);) {
      const auto a = json::parse(line);
      if (a.at("endpoint") == address)
        return a.at("verified_ns").get<std::int64_t>() - a.at("from_ns").get<std::int64_t>();
    }
    return 0;
  }

  /// Each end is the right workload or none: stamps from before the first bracket of a node are bounded on
  /// one side only, which covers few flows.
  void expect_none_wrong(const std::map<std::string, json>& all) const {
    for (const auto& [id, r] : all) {
      for (const auto& [key, right] :
           {std::pair{"source_workload", "client"}, {"destination_workload", "server"}})
        EXPECT_TRUE(r.at(key) == right || r.at(key).is_null()) << r.dump();
    }
  }

  static std::size_t attributed(const std::map<std::string, json>& all) {
    std::size_t n = 0;
    for (const auto& [id, r] : all) n += r.at("reason").is_null() ? 1U : 0U;
    return n;
  }

  /// `count` connections from west to east, each with a byte answered.
  void talk(int count) const {
    const endpoint server = *endpoint::parse("10.77.0.2:8000");
    agent::file_descriptor listener;
    world->inside("east", [&] { listener = listen_on(server); });
    std::thread east([&] {
      world->inside("east", [&] {
        for (int i = 0; i < count; ++i) {
          const auto accepted = accept_from(listener);
          if (receive_bytes(accepted, 1) == 1) send_bytes(accepted, 1);
        }
      });
    });
    world->inside("west", [&] {
      for (int i = 0; i < count; ++i) {
        agent::file_descriptor made;
        EXPECT_EQ(connect_to(server, made), 0);
        send_bytes(made, 1);
        EXPECT_EQ(receive_bytes(made, 1), 1);
      }
    });
    east.join();
  }

  void expect_both_named(const std::map<std::string, json>& all) const {
    for (const auto& [id, r] : all) {
      EXPECT_EQ(r.at("source_workload"), "client") << r.dump();
      EXPECT_EQ(r.at("destination_workload"), "server") << r.dump();
      EXPECT_EQ(r.at("basis"), "tenancy");
    }
  }
};

TEST_F(fleet, up_names_both_ends_and_ends_with_zero) {
  auto arguments = agent_arguments("up");
  const auto more = node_arguments(0);
  arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  arguments.insert(arguments.end(), more.begin() + 6, more.end());
  const std::string summary = folder / "summary.json";
  arguments.insert(arguments.end(), {"--json", summary});
  child up(arguments);
  ASSERT_TRUE(up.says("up: agents")) << up.err();
  assign("10.77.0.1", "client", "west");
  assign("10.77.0.2", "server", "east");
  talk(5);
  // The signal comes before the hold is over: what is held is resolved all the same.
  up.signal(SIGINT);
  EXPECT_EQ(up.wait(), 0) << up.err();
  const auto all = records(output);
  EXPECT_EQ(all.size(), 10U) << up.err();
  expect_both_named(all);
  std::ifstream file(summary);
  const auto told = json::parse(file, nullptr, false);
  ASSERT_TRUE(told.is_object());
  EXPECT_EQ(told.at("flows"), 10);
  EXPECT_EQ(told.at("attributed"), 10);
  EXPECT_EQ(told.at("unattributed"), json::object());
  EXPECT_EQ(told.at("kernel_events_lost"), 0);
}

TEST_F(fleet, node_killed_under_two_processes_loses_nothing) {
  auto node = std::make_unique<child>(node_arguments(0));
  ASSERT_TRUE(node->says("HTTP 127.0.0.1:")) << node->err();
  const auto port = port_in(node->err(), "agents ");
  auto arguments = agent_arguments("agent");
  arguments.insert(arguments.end(), {"--node", "127.0.0.1:" + std::to_string(port)});
  child agent(arguments);
  ASSERT_TRUE(agent.says("connected to node")) << agent.err();
  assign("10.77.0.1", "client", "west");
  assign("10.77.0.2", "server", "east");
  talk(5);
  node->signal(SIGKILL);
  EXPECT_EQ(node->wait(), 128 + SIGKILL);
  talk(5);
  node = std::make_unique<child>(node_arguments(port));
  ASSERT_TRUE(node->says("HTTP 127.0.0.1:")) << node->err();
  EXPECT_TRUE(eventually([&] { return records(output).size() >= 20; }, seconds{30})) << agent.err();
  talk(5);
  EXPECT_TRUE(eventually([&] { return records(output).size() >= 30; }, seconds{30})) << agent.err();
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait(), 0) << agent.err();
  node->signal(SIGTERM);
  EXPECT_EQ(node->wait(), 0) << node->err();
  const auto all = records(output);
  EXPECT_EQ(all.size(), 30U);
  expect_none_wrong(all);
  EXPECT_GE(attributed(all), 10U) << "what came after the node was back";
}

TEST_F(fleet, agent_killed_while_no_node_listens_loses_nothing_that_was_sealed) {
  // A port that nobody listens on until the node does.
  auto probe = std::make_unique<child>(node_arguments(0));
  ASSERT_TRUE(probe->says("HTTP 127.0.0.1:")) << probe->err();
  const auto port = port_in(probe->err(), "agents ");
  probe->signal(SIGTERM);
  ASSERT_EQ(probe->wait(), 0);
  auto arguments = agent_arguments("agent");
  arguments.insert(arguments.end(),
                   {"--node", "127.0.0.1:" + std::to_string(port), "--spool", folder / "spool"});
  auto agent = std::make_unique<child>(arguments);
  ASSERT_TRUE(agent->says("agent: nodes")) << agent->err();
  const auto http = port_in(agent->err(), "HTTP ");
  talk(5);
  std::string text;
  ASSERT_TRUE(eventually(
      [&] {
        text = http_get(http, "/metrics");
        return metric(text, "tenure_agent_flows_retained") >= 10;
      },
      seconds{30}))
      << text;
  EXPECT_GT(metric(text, "tenure_agent_spooled_bytes"), 0);
  agent->signal(SIGKILL);
  EXPECT_EQ(agent->wait(), 128 + SIGKILL);
  agent = std::make_unique<child>(arguments);
  ASSERT_TRUE(agent->says("left behind")) << agent->err();
  child node(node_arguments(port));
  EXPECT_TRUE(agent->says("is delivered")) << agent->err();
  EXPECT_EQ(records(output).size(), 10U) << node.err();
  agent->signal(SIGTERM);
  EXPECT_EQ(agent->wait(), 0) << agent->err();
  EXPECT_TRUE(std::filesystem::is_empty(folder / "spool"));
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait(), 0) << node.err();
}

TEST_F(fleet, metrics_of_both_halves_balance) {
  auto arguments = agent_arguments("up");
  const auto more = node_arguments(0);
  arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  arguments.insert(arguments.end(), more.begin() + 6, more.end());
  child up(arguments);
  ASSERT_TRUE(up.says("up: agents")) << up.err();
  const auto http = port_in(up.err(), "HTTP ");
  assign("10.77.0.1", "client", "west");
  talk(3);
  std::string text;
  EXPECT_TRUE(eventually(
      [&] {
        text = http_get(http, "/metrics");
        return metric(text, "tenure_agent_flows_acknowledged_total") >= 6;
      },
      seconds{20}))
      << text;
  EXPECT_EQ(metric(text, "tenure_agent_events_lost_total"), 0) << text;
  double unattributed = 0;
  for (const char* reason :
       {"conflict", "external", "local", "no_evidence", "clock", "before_first", "after_last", "between"})
    unattributed +=
        metric(text, std::string{"tenure_node_flows_unattributed_total{reason=\""} + reason + "\"}");
  EXPECT_EQ(metric(text, "tenure_node_flows_received_total"),
            metric(text, "tenure_node_flows_attributed_total") + metric(text, "tenure_node_flows_held") +
                metric(text, "tenure_node_flows_dropped_total") + unattributed)
      << text;
}

/// The capabilities that config/systemd/ leaves the agent, as setpriv writes them: "-all,+bpf,...".
std::string capabilities_of_the_unit() {
  std::ifstream unit(std::string(TENURE_SOURCE_DIR) + "/config/systemd/tenure-agent.service");
  std::string result = "-all";
  for (std::string line; std::getline(unit, line);) {
    if (!line.starts_with("CapabilityBoundingSet=CAP_")) continue;
    std::istringstream names(line.substr(line.find('=') + 1));
    for (std::string name; names >> name;) {
      result += ",+";
      for (const char c : name.substr(4)) result += static_cast<char>(std::tolower(c));
    }
  }
  return result;
}

TEST_F(fleet, agent_does_its_work_with_the_capabilities_of_its_unit) {
  child node(node_arguments(0));
  ASSERT_TRUE(node.says("HTTP 127.0.0.1:")) << node.err();
  const auto port = port_in(node.err(), "agents ");
  std::vector<std::string> arguments{"setpriv", "--bounding-set=" + capabilities_of_the_unit(),
                                     "--inh-caps=-all", "--no-new-privs"};
  for (const auto& a : agent_arguments("agent")) arguments.push_back(a);
  arguments.insert(arguments.end(), {"--node", "127.0.0.1:" + std::to_string(port)});
  child agent(arguments);
  ASSERT_TRUE(agent.says("connected to node")) << agent.err();
  assign("10.77.0.1", "client", "west");
  assign("10.77.0.2", "server", "east");
  talk(3);
  EXPECT_TRUE(eventually([&] { return records(output).size() >= 6; }, seconds{30})) << agent.err();
  expect_both_named(records(output));
}

TEST_F(fleet, what_one_agent_recorded_another_replays_without_any_permission) {
  child node(node_arguments(0));
  ASSERT_TRUE(node.says("HTTP 127.0.0.1:")) << node.err();
  const auto port = port_in(node.err(), "agents ");
  const std::string file = "/tmp/tenure-recording-" + std::to_string(::getpid());
  auto arguments = agent_arguments("agent");
  arguments.insert(arguments.end(), {"--node", "127.0.0.1:" + std::to_string(port), "--record", file});
  child recording(arguments);
  ASSERT_TRUE(recording.says("connected to node")) << recording.err();
  talk(3);
  EXPECT_TRUE(eventually([&] { return records(output).size() >= 6; }, seconds{30})) << recording.err();
  recording.signal(SIGTERM);
  EXPECT_EQ(recording.wait(), 0) << recording.err();
  const auto before = records(output).size();
  ASSERT_EQ(::chown(file.c_str(), 65534, 65534), 0);
  child replaying({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tenure_binary(), "agent",
                   "--replay", file, "--node", "127.0.0.1:" + std::to_string(port), "--ipman-socket", "",
                   "--http", "", "--linger", "50ms"});
  EXPECT_TRUE(eventually([&] { return records(output).size() >= before + 6; }, seconds{60}))
      << replaying.err();
  replaying.signal(SIGTERM);
  EXPECT_EQ(replaying.wait(), 0) << replaying.err();
  std::filesystem::remove(file);
}

TEST_F(fleet, second_agent_on_the_same_folder_of_maps_is_refused) {
  auto arguments = agent_arguments("agent");
  arguments.insert(arguments.end(), {"--node", "127.0.0.1:1"});
  child first(arguments);
  ASSERT_TRUE(first.says("agent: nodes")) << first.err();
  child second(arguments);
  EXPECT_EQ(second.wait(), 3);
  EXPECT_FALSE(second.err().empty());
}

TEST(refusals, folder_of_maps_that_is_somebody_elses_is_refused) {
  if (without_bpf()) GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
  const std::string pin = "/sys/fs/bpf/tenure-nobodys-" + std::to_string(::getpid());
  ASSERT_TRUE(std::filesystem::create_directory(pin));
  ASSERT_EQ(::chown(pin.c_str(), 65534, 65534), 0);
  child agent({tenure_binary(), "agent", "--node", "127.0.0.1:1", "--pin", pin, "--http", ""});
  EXPECT_EQ(agent.wait(), 3) << agent.err();
  EXPECT_NE(agent.err().find("belongs to somebody else"), std::string::npos) << agent.err();
  std::filesystem::remove(pin);
}

TEST(refusals, without_root_up_says_what_is_missing) {
  const std::string pin = "/sys/fs/bpf/tenure-without-root-" + std::to_string(::getpid());
  child up({"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", tenure_binary(), "up", "--listen",
            "127.0.0.1:0", "--http", "", "--output", "/dev/null", "--pin", pin});
  EXPECT_EQ(up.wait(), 3) << up.err();
  EXPECT_NE(up.err().find("root"), std::string::npos) << up.err();
  EXPECT_FALSE(std::filesystem::exists(pin)) << "it would refuse root";
}

TEST(refusals, an_agent_needs_a_node) {
  child agent({tenure_binary(), "agent"});
  EXPECT_EQ(agent.wait(), 2);
  EXPECT_NE(agent.err().find("--node"), std::string::npos) << agent.err();
}

TEST(refusals, ipman_without_an_agent_is_refused) {
  child set({tenure_binary(), "ipman", "set", "10.0.0.1", "x", "--ipman-socket", "/nonexistent/ipman.sock"});
  EXPECT_EQ(set.wait(), 3);
  EXPECT_NE(set.err().find("no agent listens"), std::string::npos) << set.err();
}

}  // namespace
}  // namespace tenure::testing
