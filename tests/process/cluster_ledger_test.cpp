#include <gtest/gtest.h>

#include "tests/process/ledger.hpp"
#include "tests/process/loaded_cluster.hpp"

namespace tenure::testing {
namespace {

using std::chrono::seconds;

TEST(cluster, the_ledger_of_each_node_balances_at_every_scrape_and_that_of_all_in_the_end) {
  loaded_cluster three;
  int scrapes = 0;
  three.fleet().play_until(
      [&] {
        for (std::size_t i = 0; i < 3; ++i) {
          const auto text = three.node(i).metrics();
          for (const auto& [agent, sum] : imbalances(text)) EXPECT_EQ(sum, 0) << i << agent << "\n" << text;
        }
        return ++scrapes == 50 || ::testing::Test::HasFailure();
      },
      seconds{60});
  EXPECT_EQ(scrapes, 50);
  ASSERT_TRUE(three.fleet().settle());
  std::map<std::string, double> sums;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto text = three.node(i).metrics();
    for (const char* what : {"received", "repeated", "forwarded", "from_nodes", "attributed", "dropped"})
      sums[what] += value_of(text, std::string("tenure_node_flows_") + what + "_total");
    sums["unattributed"] += unattributed_in(text);
    sums["held"] += value_of(text, "tenure_node_flows_held");
  }
  EXPECT_EQ(sums["held"], 0);
  EXPECT_GT(sums["forwarded"], 0) << "or it was no cluster's ledger";
  EXPECT_EQ(sums["forwarded"], sums["from_nodes"]) << "nothing is between two nodes any more";
  EXPECT_EQ(sums["received"] - sums["repeated"],
            sums["attributed"] + sums["unattributed"] + sums["forwarded"] + sums["dropped"]);
  EXPECT_EQ(sums["received"] - sums["from_nodes"] - sums["repeated"] - sums["dropped"],
            static_cast<double>(three.fleet().fleet().counters().flows_sealed))
      << "what agents reported is there once";
  three.finish();
}

}  // namespace
}  // namespace tenure::testing
