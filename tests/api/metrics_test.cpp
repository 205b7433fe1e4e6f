#include "api/metrics.hpp"

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
  auto served = rows_of(node_metrics(node, {}, budget));
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

}  // namespace
}  // namespace tenure::api
