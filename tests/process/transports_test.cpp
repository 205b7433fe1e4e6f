#include <csignal>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/agent/kernel_world.hpp"
#include "tests/process/child.hpp"
#include "tests/process/written_events.hpp"
#include "tests/process/written_records.hpp"

// Agents and nodes over what else there is than TCP, and what nodes have to say to agents. The agents replay
// what was recorded, so no permission is needed but for namespaces.
namespace tenure::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

struct transports : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";

  std::vector<std::string> node(const std::vector<std::string>& more) const {
    std::vector<std::string> all{tenure_binary(), "node", "--http", "127.0.0.1:0",
                                 "--output",      output, "--hold", "1s"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> agent(const std::string& to, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{
        tenure_binary(),  "agent", "--replay", folder / "events", "--node",   to,
        "--ipman-socket", "",      "--http",   "127.0.0.1:0",     "--linger", "20ms"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Different records, and how many lines there are of them.
  std::pair<std::size_t, std::size_t> written() const {
    std::set<std::string> ids;
    const auto all = records_in(output);
    for (const auto& r : all) ids.insert(r.at("flow_id"));
    return {ids.size(), all.size()};
  }
};

TEST_F(transports, a_unix_socket_is_for_root_and_for_whom_the_node_names) {
  write_events(folder / "events", 50, millisecond);
  const std::string path = folder / "node.sock";
  ASSERT_EQ(::chmod((folder / "").c_str(), 0711), 0);
  const auto as_nobody = [&](const std::string& events) {
    auto all = agent("unix:" + path);
    all[3] = events;
    all.insert(all.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    return all;
  };
  const std::string theirs = folder / "theirs";
  write_events(theirs, 50, millisecond);
  ASSERT_EQ(::chown(theirs.c_str(), 65534, 65534), 0);
  {
    child there(node({"--listen", "unix:" + path}));
    ASSERT_TRUE(there.says("agents unix:")) << there.err();
    child stranger(as_nobody(theirs));
    EXPECT_TRUE(there.says("of user 65534: no link")) << there.err();
    child ours(agent("unix:" + path));
    EXPECT_TRUE(eventually([&] { return written().first == 50; }, seconds{60})) << ours.err();
    const auto http = port_in(there.err(), "HTTP ");
    const std::regex turned_down(
        R"(links="agents",reason="it proved to be one who may not connect here"\} [1-9])");
    EXPECT_TRUE(std::regex_search(http_get(http, "/metrics"), turned_down));
    there.signal(SIGKILL);  // its socket's file stays behind
    there.wait();
  }
  EXPECT_TRUE(std::filesystem::exists(path));
  child there(node({"--listen", "127.0.0.1:0", "--listen-also", "unix:" + path, "--local-user", "65534"}));
  ASSERT_TRUE(there.says("agents 127.0.0.1:")) << there.err();
  child another(node({"--listen", "unix:" + path}));
  EXPECT_EQ(another.wait(), 3) << "somebody listens there: " << another.err();
  child known(as_nobody(theirs));
  EXPECT_TRUE(eventually([&] { return written().first == 100; }, seconds{60})) << known.err();
  there.signal(SIGTERM);
  EXPECT_EQ(there.wait(), 0) << there.err();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(transports, over_udp_that_loses_every_fifth_datagram_each_flow_comes_once) {
  constexpr std::size_t all = 5'000;
  write_events(folder / "events", all, 200 * microsecond);
  const kernel_world world;
  world.inside("west", [] {
    const char* rules =
        "nft -f - <<'RULES'\ntable inet lossy {\n chain in {\n  type filter hook input priority 0;\n"
        "  meta l4proto udp numgen random mod 5 0 counter drop\n }\n}\nRULES\n";
    ASSERT_EQ(std::system(rules), 0);
  });
  const auto inside = [&](std::vector<std::string> what) {
    what.insert(what.begin(), {"nsenter", "--net=" + world.path("west")});
    return what;
  };
  child there(inside(node({"--listen", "udp:127.0.0.1:4740"})));
  ASSERT_TRUE(there.says("agents udp:127.0.0.1:4740")) << there.err();
  child sender(inside(agent("udp:127.0.0.1:4740")));
  ASSERT_TRUE(sender.says("connected to node")) << sender.err();
  EXPECT_TRUE(eventually([&] { return written().first == all; }, seconds{120}))
      << written().first << sender.err();
  sender.signal(SIGTERM);
  EXPECT_EQ(sender.wait(), 0) << sender.err();
  there.signal(SIGTERM);
  EXPECT_EQ(there.wait(), 0) << there.err();
  EXPECT_EQ(written().second, all);
  EXPECT_EQ(sender.err().find("disconnected"), std::string::npos) << sender.err();
}

TEST_F(transports, datagrams_that_are_none_of_ours_are_counted) {
  child there(node({"--listen", "udp:127.0.0.1:0"}));
  ASSERT_TRUE(there.says("agents udp:127.0.0.1:")) << there.err();
  const auto port = std::to_string(port_in(there.err(), "agents udp:"));
  child stranger({"bash", "-c", "echo who is there > /dev/udp/127.0.0.1/" + port});
  ASSERT_EQ(stranger.wait(), 0) << stranger.err();
  const std::regex counted(R"(tenure_transport_datagrams_unreadable_total\{links="agents over UDP"\} 1\n)");
  const auto http = port_in(there.err(), "HTTP ");
  EXPECT_TRUE(eventually([&] { return std::regex_search(http_get(http, "/metrics"), counted); }, seconds{30}))
      << http_get(http, "/metrics");
}

TEST_F(transports, udp_beyond_this_host_has_to_be_meant) {
  write_events(folder / "events", 1, millisecond);
  child listening(node({"--listen", "udp:0.0.0.0:0"}));
  EXPECT_EQ(listening.wait(), 2) << listening.err();
  EXPECT_NE(listening.err().find("--udp-in-the-clear"), std::string::npos) << listening.err();
  child dialing(agent("udp:192.0.2.1:4740"));
  EXPECT_EQ(dialing.wait(), 2) << dialing.err();
  child meant(node({"--listen", "udp:0.0.0.0:0", "--udp-in-the-clear"}));
  EXPECT_TRUE(meant.says("agents udp:0.0.0.0:")) << meant.err();
}

TEST_F(transports, a_name_that_nobody_answers_for_holds_up_no_other) {
  write_events(folder / "events", 50, millisecond);
  const kernel_world world;
  world.inside("west", [] {
    const char* silence =
        "nft -f - <<'RULES'\ntable inet silent {\n chain in {\n  type filter hook input priority 0;\n"
        "  udp dport 53 drop\n }\n}\nRULES\n";
    ASSERT_EQ(std::system(silence), 0);
  });
  // The system's resolver would wait for minutes.
  std::ofstream(folder / "resolv.conf") << "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n";
  const auto inside = [&](const std::vector<std::string>& what) {
    std::vector<std::string> all{"nsenter",
                                 "--net=" + world.path("west"),
                                 "unshare",
                                 "-m",
                                 "sh",
                                 "-c",
                                 R"(mount --bind "$0" /etc/resolv.conf && exec "$@")",
                                 folder / "resolv.conf"};
    all.insert(all.end(), what.begin(), what.end());
    return all;
  };
  child there(inside(node({"--listen", "127.0.0.1:4740"})));
  ASSERT_TRUE(there.says("agents 127.0.0.1:4740")) << there.err();
  child sender(inside(agent("nobody.example:4740", {"--node", "127.0.0.1:4740"})));
  EXPECT_TRUE(sender.says("connected to node")) << sender.err();
  EXPECT_TRUE(eventually([&] { return written().first == 50; }, seconds{60})) << sender.err();
}

TEST_F(transports, what_a_node_wants_of_its_agents_they_take_whole_or_not_at_all) {
  write_events(folder / "events", 20'000, 5 * millisecond);
  const std::string file = folder / "agents.toml";
  const auto want = [&](const std::string& text) {
    std::ofstream(file + ".new") << text;
    std::filesystem::rename(file + ".new", file);
  };
  want("linger = \"30ms\"\nlog-level = \"debug\"\n");
  child there(node({"--listen", "127.0.0.1:0", "--agent-settings", file}));
  ASSERT_TRUE(there.says("agents 127.0.0.1:")) << there.err();
  child taking(agent("127.0.0.1:" + std::to_string(port_in(there.err(), "agents "))));
  ASSERT_TRUE(taking.says("settings: version")) << taking.err();
  ASSERT_TRUE(taking.says("agent: nodes")) << taking.err();
  const auto http = port_in(taking.err(), "HTTP ");
  const auto value = [&](const std::string& name) { return metric(http_get(http, "/metrics"), name); };
  const double first = value("tenure_agent_settings_version");
  EXPECT_GT(first, 0);
  EXPECT_EQ(value("tenure_agent_flows_left_out_total"), 0);
  want("leave-out = [\"10.77.0.4/31\"]\nsample = 1\n");
  EXPECT_TRUE(eventually([&] { return value("tenure_agent_flows_left_out_total") > 0; }, seconds{60}))
      << taking.err();
  const double second_version = value("tenure_agent_settings_version");
  EXPECT_NE(second_version, first);
  for (const char* wrong : {"sample = 2\nlinger = \"soon\"\n", "output = \"/etc/passwd\"\n", "sample =\n"}) {
    want(wrong);
    EXPECT_TRUE(there.says(std::string(wrong).starts_with("output")       ? "'output' is nothing"
                           : std::string(wrong).starts_with("sample = 2") ? "linger: this is no value"
                                                                          : "line 1"))
        << there.err();
  }
  EXPECT_EQ(value("tenure_agent_settings_version"), second_version);
  // Of this only the agent knows that it cannot be: nothing of it is taken.
  want("leave-out = []\nsample = 0\n");
  EXPECT_TRUE(eventually([&] { return value("tenure_agent_settings_refused_total") == 1; }, seconds{60}));
  EXPECT_EQ(value("tenure_agent_settings_version"), second_version);
  const double left_out = value("tenure_agent_flows_left_out_total");
  EXPECT_TRUE(
      eventually([&] { return value("tenure_agent_flows_left_out_total") > left_out + 50; }, seconds{20}));
  want("sample = 1000000\n");
  EXPECT_TRUE(
      eventually([&] { return value("tenure_agent_settings_version") != second_version; }, seconds{60}));
  child none(node({"--listen", "127.0.0.1:0", "--agent-settings", folder / "there-is-none"}));
  EXPECT_EQ(none.wait(), 2) << none.err();
}

TEST_F(transports, batches_that_leave_the_host_are_compressed) {
  write_events(folder / "events", 20'000, 50 * microsecond);
  const kernel_world world;
  child there({"nsenter", "--net=" + world.path("west"), tenure_binary(), "node", "--listen",
               "10.77.0.1:4740", "--http", "", "--output", output, "--hold", "1s"});
  ASSERT_TRUE(there.says("agents 10.77.0.1:")) << there.err();
  auto arguments = agent("10.77.0.1:4740");
  arguments.insert(arguments.begin(), {"nsenter", "--net=" + world.path("east")});
  child sender(arguments);
  ASSERT_TRUE(sender.says("agent: nodes")) << sender.err();
  const auto http = port_in(sender.err(), "HTTP ");
  EXPECT_TRUE(eventually([&] { return written().first == 20'000; }, seconds{60})) << sender.err();
  std::string text;
  world.inside("east", [&] { text = http_get(http, "/metrics"); });
  // Packed flows take 50 to 60 bytes each.
  EXPECT_GT(metric(text, "tenure_agent_bytes_saved_total"), 20'000 * 20) << "less than a third: " << text;
}

}  // namespace
}  // namespace tenure::testing
