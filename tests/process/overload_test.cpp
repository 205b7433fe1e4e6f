#include <csignal>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/child.hpp"
#include "tests/process/written_events.hpp"
#include "tests/process/written_records.hpp"

// An agent that is told of more than it has room for.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

TEST(overload, short_connections_share_records_and_every_one_is_counted) {
  constexpr int all = 30'000;
  const temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  write_events(folder / "events", all, 50 * microsecond);
  const auto node_arguments = [&](std::uint16_t port) {
    return std::vector<std::string>{tenure_binary(), "node", "--listen", "127.0.0.1:" + std::to_string(port),
                                    "--http",        "",     "--output", output,
                                    "--hold",        "1s"};
  };
  child probe(node_arguments(0));
  ASSERT_TRUE(probe.says("agents 127.0.0.1:")) << probe.err();
  const auto port = port_in(probe.err(), "agents ");
  probe.signal(SIGTERM);
  ASSERT_EQ(probe.wait(), 0);
  // Nobody listens, and there is room for some 6,000 records.
  child agent({tenure_binary(), "agent", "--replay", folder / "events", "--node",
               "127.0.0.1:" + std::to_string(port), "--ipman-socket", "", "--http", "127.0.0.1:0", "--linger",
               "20ms", "--spool", folder / "spool", "--spool-mib", "1"});
  ASSERT_TRUE(agent.says("agent: nodes")) << agent.err();
  const auto http = port_in(agent.err(), "HTTP ");
  std::string text;
  ASSERT_TRUE(eventually(
      [&] {
        text = http_get(http, "/metrics");
        return metric(text, "tenure_agent_flows_retained") == all;
      },
      seconds{60}))
      << text;
  EXPECT_EQ(metric(text, "tenure_agent_flows_observed_total"), all);
  EXPECT_EQ(metric(text, "tenure_agent_flows_dropped_total"), 0);
  EXPECT_GT(metric(text, "tenure_agent_flows_joined_total"), all / 2);
  EXPECT_LT(metric(text, "tenure_agent_spooled_bytes"), 1 << 20);
  const double joined = metric(text, "tenure_agent_flows_joined_total");
  child node(node_arguments(port));
  std::uint64_t connections = 0, bytes = 0, several = 0, records = 0;
  EXPECT_TRUE(eventually(
      [&] {
        connections = bytes = several = records = 0;
        for (const auto& r : records_in(output)) {
          ++records;
          const std::uint64_t n = r.at("connections");
          connections += n;
          bytes += r.at("bytes_sent").get<std::uint64_t>();
          if (n == 1) continue;
          ++several;
          EXPECT_EQ(r.at("end_reason"), "lack_of_resources") << r;
          EXPECT_EQ(r.at("source_port"), 0) << r;
          EXPECT_EQ(r.at("destination_port"), 443) << r;
          EXPECT_TRUE(r.at("established").is_null()) << r;
        }
        return connections >= all;
      },
      seconds{60}))
      << node.err();
  EXPECT_EQ(connections, all);
  EXPECT_EQ(bytes, 10U * all);
  EXPECT_GT(several, 0U);
  EXPECT_EQ(static_cast<double>(all) - joined, static_cast<double>(records));
  EXPECT_TRUE(eventually(
      [&] { return metric(http_get(http, "/metrics"), "tenure_agent_flows_acknowledged_total") == all; },
      seconds{30}));
  agent.signal(SIGTERM);
  EXPECT_EQ(agent.wait(), 0) << agent.err();
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait(), 0) << node.err();
}

}  // namespace
}  // namespace tenure::testing
