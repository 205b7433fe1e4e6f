#include <csignal>
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
               "8s",
               "--hold",
               "1s",
               "--batch",
               "5",
               "--batch",
               "50",
               "--folder",
               folder / "",
               "--check",
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
    const auto& check = run["check"];
    EXPECT_EQ(check["flows"], run["flows"]) << "what was acknowledged is in the file";
    EXPECT_EQ(check["lost"], 0);
    EXPECT_EQ(check["misattributed"], 0);
    // The hold is shorter than a heartbeat.
    EXPECT_GT(check["attributed"].get<double>(), 0.05 * check["records"].get<double>());
    EXPECT_GT(run["flows_per_second"], 0.0);
    EXPECT_GT(run["generator_cpu_seconds"], 0.0);
    EXPECT_GT(run["steady_seconds"], 4.0);
    EXPECT_LT(run["steady_seconds"], 5.5);
    EXPECT_NEAR(run["steady_flows_per_second"], 20'000, 10'000);
    EXPECT_GT(run["steady_cpu_us_per_flow"], 0.0);
    EXPECT_GT(run["steady_generator_cpu_us_per_flow"], 0.0);
    EXPECT_GE(run["late_ms_p99"], 0.0);
    // From its close a flow waits for its batch, for the hold of a second, and for its turn.
    EXPECT_GT(run["close_to_output_ms_p10"], 900.0);
    EXPECT_GE(run["close_to_output_ms_p50"], run["close_to_output_ms_p10"]);
    EXPECT_GE(run["close_to_output_ms_p99"], run["close_to_output_ms_p90"]);
    EXPECT_GT(run["bytes_per_held_flow"], 40.0);
    EXPECT_GT(run["flows_in_the_hold"], 1'000);
    EXPECT_GT(run["memory"]["hold_when_full_mib"], 0.0);
    EXPECT_GT(run["memory"]["hold_at_the_end_mib"], 0.0);
    EXPECT_LT(run["memory"]["hold_at_the_end_mib"], 2 * run["memory"]["hold_when_full_mib"].get<double>());
    EXPECT_GT(run["memory"]["timelines_at_the_end_mib"], 0.0);
    EXPECT_GT(run["sync_ms_p50"], 0.0);
    EXPECT_GE(run["sync_ms_p99"], run["sync_ms_p50"]);
    EXPECT_GE(run["sync_ms_p100"], run["sync_ms_p99"]);
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

// What an ownership core costs is told in the words of the budgets.
TEST(bench_ownership, resolve_and_merge_tell_what_they_did) {
  for (const char* const heart : {"resolve", "merge"}) {
    std::vector<std::string> line{tenure_binary(), "bench", heart, "--addresses", "1000"};
    if (std::string_view(heart) == "resolve") line.insert(line.end(), {"--flows", "100000"});
    child bench(line);
    ASSERT_EQ(bench.wait(std::chrono::seconds{60}), 0) << bench.err();
    const auto figures = nlohmann::json::parse(bench.out());
    EXPECT_EQ(figures["bench"], heart);
    EXPECT_GT(figures["flows_per_second"], 0.0) << figures;
    EXPECT_GT(figures["bytes_per_tenancy"], 16.0) << figures;
    EXPECT_LE(figures["bytes_per_tenancy"], 64.0) << figures;
  }
}

// Of the flows that the bench plays, not of some that were made to be short.
TEST(bench_hold, a_held_flow_takes_64_bytes_of_ipv4_and_80_of_ipv6_at_most) {
  for (const bool ipv6 : {false, true}) {
    const double most = ipv6 ? 80 : 64;
    std::vector<std::string> line{tenure_binary(), "bench", "hold", "--flows", "1000000"};
    if (ipv6) line.emplace_back("--ipv6");
    child bench(line);
    ASSERT_EQ(bench.wait(std::chrono::seconds{60}), 0) << bench.err();
    const auto figures = nlohmann::json::parse(bench.out());
    EXPECT_EQ(figures["ipv6"], ipv6);
    EXPECT_EQ(figures["lost"], 0);
    EXPECT_LE(figures["bytes_per_held_flow"], most);
    EXPECT_GT(figures["bytes_per_held_flow"], 40.0);
  }
}

/// The processes whose parent this one is.
std::vector<pid_t> children_of(pid_t parent) {
  std::ifstream file("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  std::vector<pid_t> all;
  for (pid_t one = 0; file >> one;) all.push_back(one);
  return all;
}

/// Neither running nor waiting to be buried: whoever takes over orphans may take its time.
bool is_gone(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const auto name_end = stat.rfind(") ");
  return name_end == std::string::npos || stat[name_end + 2] == 'Z';
}

TEST(bench_node, takes_its_node_with_it_however_it_ends) {
  for (const int number : {SIGTERM, SIGKILL}) {
    const temporary_folder folder;
    child bench({tenure_binary(), "bench", "node", "--agents", "2", "--addresses", "20", "--rate", "100",
                 "--seconds", "300s", "--hold", "1s", "--folder", folder / ""});
    std::vector<pid_t> nodes;
    const auto listens = [&] {
      std::ifstream log(folder / "bench-node.log");
      std::string said;
      while (std::getline(log, said))
        if (said.find("agents 127.0.0.1:") != std::string::npos) return true;
      return false;
    };
    ASSERT_TRUE(eventually(listens, std::chrono::seconds{60}));
    nodes = children_of(bench.id());
    ASSERT_EQ(nodes.size(), 1U);
    bench.signal(number);
    EXPECT_EQ(bench.wait(std::chrono::seconds{60}), 128 + number);
    EXPECT_TRUE(eventually([&] { return is_gone(nodes[0]); }, std::chrono::seconds{60}));
  }
}

TEST(bench_node, refuses_what_it_cannot_play) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--to", "csv"},
                                                {"--batch", "0"},
                                                {"--agents", "0"},
                                                {"--together", "0"},
                                                {"--tls-key", "k.pem"}}) {
    std::vector<std::string> line{tenure_binary(), "bench", "node"};
    line.insert(line.end(), words.begin(), words.end());
    child bench(line);
    EXPECT_EQ(bench.wait(), 2) << words[0] << bench.err();
  }
}

}  // namespace
}  // namespace tenure::testing
