#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/child.hpp"

namespace tenure::testing {
namespace {

// A real node under a small fleet: every flow comes out, and the figures hang together.
TEST(bench_node, says_what_flows_cost_and_that_none_is_lost) {
  const temporary_folder folder;
  child bench({tenure_binary(),
               "bench",
               "node",
               "--agents",
               "20",
               "--addresses",
               "1000",
               "--rate",
               "20000",
               "--seconds",
               "2s",
               "--hold",
               "1s",
               "--batch",
               "5",
               "--batch",
               "50",
               "--folder",
               folder / "",
               "--json",
               folder / "bench.json"});
  ASSERT_EQ(bench.wait(std::chrono::seconds{180}), 0) << bench.err() << bench.out();
  std::ifstream file(folder / "bench.json");
  const auto runs = nlohmann::json::parse(file, nullptr, false);
  ASSERT_EQ(runs.size(), 2U) << runs.dump();
  std::set<int> batches;
  for (const auto& run : runs) {
    batches.insert(run["batch"].get<int>());
    EXPECT_GT(run["flows"], 1'000);
    EXPECT_EQ(run["lost"], 0);
    EXPECT_EQ(run["node_exit_code"], 0);
    EXPECT_GT(run["flows_per_second"], 0.0);
    EXPECT_GT(run["generator_cpu_seconds"], 0.0);
    EXPECT_GE(run["late_ms_p99"], 0.0);
    double sum = 0;
    for (const char* stage :
         {"receive", "decode", "route", "hold", "merge", "resolve", "encode", "write", "rest"}) {
      ASSERT_TRUE(run["stages"].contains(stage)) << run.dump();
      sum += run["stages"][stage].get<double>();
    }
    EXPECT_NEAR(sum, run["cpu_us_per_flow"].get<double>(), 0.001) << run.dump();
  }
  EXPECT_EQ(batches, (std::set<int>{5, 50}));
  EXPECT_FALSE(std::filesystem::exists(folder / "bench-node.tnr")) << "what it wrote is removed";
}

TEST(bench_node, refuses_what_it_cannot_play) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--to", "csv"},
                                                {"--batch", "0"},
                                                {"--agents", "0"},
                                                {"--tls-key", "k.pem"}}) {
    std::vector<std::string> line{tenure_binary(), "bench", "node"};
    line.insert(line.end(), words.begin(), words.end());
    child bench(line);
    EXPECT_EQ(bench.wait(), 2) << words[0] << bench.err();
  }
}

}  // namespace
}  // namespace tenure::testing
