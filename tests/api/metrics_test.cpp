#include "api/metrics.hpp"

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "api/cluster_text.hpp"
#include "api/transport_metrics.hpp"

namespace tenure::api {
namespace {

/// A row of docs/metrics.md for each family: its name, its type, its help.
std::set<std::string> rows_of(const std::string& exposition) {
  std::set<std::string> rows;
  std::istringstream lines(exposition);
  std::string help;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      help = line.substr(line.find(' ', 7) + 1);
    } else if (line.starts_with("# TYPE ")) {
      const auto space = line.find(' ', 7);
      rows.insert("| `" + line.substr(7, space - 7) + "` | " + line.substr(space + 1) + " | " + help + " |");
    }
  }
  return rows;
}

TEST(metrics, the_page_lists_exactly_what_is_served) {
  const actors::node_counters node;
  const actors::agent_counters agent;
  const actors::shared_budget budget(1);
  const transport::transport_counters links;
  auto served = rows_of(node_metrics(node, {}, budget, budget));
  served.merge(rows_of(cluster_metrics(node, {})));
  served.merge(rows_of(agent_metrics(agent, {})));
  served.merge(rows_of(transport_metrics(links, "agents")));
  ASSERT_GT(served.size(), 50U);

  std::ifstream page(TENURE_SOURCE_DIR "/docs/metrics.md");
  std::set<std::string> listed;
  for (std::string line; std::getline(page, line);)
    if (line.starts_with("| `tenure_")) listed.insert(line);
  for (const auto& row : served) EXPECT_TRUE(listed.contains(row)) << "missing in docs/metrics.md:\n" << row;
  for (const auto& row : listed) EXPECT_TRUE(served.contains(row)) << "nothing serves\n" << row;
}

TEST(metrics, what_other_nodes_answered_for_is_in_the_ledger_of_its_agent_and_of_all) {
  const actors::node_counters node;
  const actors::shared_budget budget(1);
  actors::ledger_book::reading read;
  read.all.received = read.all.forwarded = 7;
  read.agents["one"] = read.all;
  const auto text = node_metrics(node, read, budget, budget);
  EXPECT_NE(text.find("\ntenure_node_flows_forwarded_total 7"), std::string::npos) << text;
  EXPECT_NE(text.find("\ntenure_node_agent_flows_forwarded_total{agent=\"one\"} 7"), std::string::npos)
      << text;
}

TEST(metrics, memory_for_flows_and_for_what_was_seen_are_told_apart) {
  const actors::node_counters node;
  actors::shared_budget held(70);
  actors::shared_budget seen(50);
  held.spend(7);
  seen.spend(5);
  const auto text = node_metrics(node, {}, held, seen);
  for (const auto* line : {"held_bytes 7", "held_limit_bytes 70", "seen_bytes 5", "seen_limit_bytes 50"})
    EXPECT_NE(text.find("\ntenure_node_" + std::string(line) + "\n"), std::string::npos) << line;
}

TEST(metrics, syncs_are_counted_up_to_each_limit) {
  actors::node_counters node;
  node.output_syncs.add(20 * millisecond);
  node.output_syncs.add(50 * millisecond);
  node.output_syncs.add(minute);
  const actors::shared_budget budget(1);
  const auto text = node_metrics(node, {}, budget, budget);
  const auto count = [&](const std::string& limit) {
    const std::string line = "\ntenure_node_sink_sync_seconds_bucket{le=\"" + limit + "\"} ";
    const auto at = text.find(line);
    return at == std::string::npos ? -1 : std::atoi(text.c_str() + at + line.size());
  };
  EXPECT_EQ(count("0.01"), 0) << text;
  EXPECT_EQ(count("0.025"), 1);
  EXPECT_EQ(count("0.05"), 2) << "a limit belongs to the step that it ends";
  EXPECT_EQ(count("30"), 2);
  EXPECT_EQ(count("+Inf"), 3);
}

}  // namespace
}  // namespace tenure::api
