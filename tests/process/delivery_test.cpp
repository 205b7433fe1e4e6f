#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <set>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/ledger.hpp"
#include "tests/process/played_fleet.hpp"

// Real node processes under load, on CAF's real scheduler: what an agent reported reaches the output,
// whatever dies.
namespace tenure::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// How often: less in `make test`, more in `make soak`.
int kills() {
  const char* text = std::getenv("TENURE_KILLS");
  return text == nullptr ? 3 : std::atoi(text);
}

/// When: others in `make soak`, which says how to draw them again.
std::uint32_t seed_of_kills() {
  const char* text = std::getenv("TENURE_SEED");
  const auto seed = text == nullptr ? 4740 : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
  std::cout << "kills by TENURE_SEED=" << seed << std::endl;
  return seed;
}

/// The regular files that a process may write to.
std::set<std::string> files_open_in(pid_t process) {
  std::set<std::string> all;
  const std::string at = "/proc/" + std::to_string(process);
  for (const auto& fd : std::filesystem::directory_iterator(at + "/fd")) {
    std::error_code gone;
    const auto file = std::filesystem::read_symlink(fd.path(), gone);
    if (gone || !std::filesystem::is_regular_file(file, gone)) continue;
    std::ifstream info(at + "/fdinfo/" + fd.path().filename().string());
    for (std::string name, value; info >> name >> value;)
      if (name == "flags:" && (std::stoul(value, nullptr, 8) & O_ACCMODE) != O_RDONLY) all.insert(file);
  }
  return all;
}

/// Of those, what it did not inherit from us: ctest leaves its log open to all that it starts.
std::set<std::string> files_written_by(pid_t process) {
  auto all = files_open_in(process);
  for (const auto& inherited : files_open_in(::getpid())) all.erase(inherited);
  return all;
}

/// @param torn what a torn write leaves at the end of the output
void killed_under_load(const std::string& name, const std::string& torn) {
  temporary_folder folder;
  const std::string output = folder / name;
  node_process node(output, {"--hold", "700ms"});
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  std::minstd_rand draw(seed_of_kills());
  std::uint64_t in_flight = 0;
  for (int i = 0; i < kills(); ++i) {
    // One of three as it begins, while agents still come back with what it has seen before.
    const bool early = i % 3 == 1;
    if (!early) {
      ASSERT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
    }
    fleet.play(milliseconds{(early ? 0 : 900) + draw() % 1'200});
    EXPECT_EQ(files_written_by(node.process().id()),
              (std::set<std::string>{output, node.process().out_path(), node.process().err_path()}))
        << "its output and what it says are all that it has on a disk";
    node.kill();
    in_flight += fleet.unacknowledged();
    // The node is to cut it off.
    std::ofstream(output, std::ios::app | std::ios::binary) << torn;
    node.start();
  }
  ASSERT_TRUE(fleet.play_until([&] { return fleet.fleet().connected(); }, seconds{60}));
  fleet.play(seconds{2});
  ASSERT_TRUE(fleet.settle());
  EXPECT_EQ(node.end(), 0) << node.process().err();
  const auto found = fleet.judge(output);
  expect_all_there_and_right(found);
  EXPECT_EQ(found.flows, fleet.fleet().counters().flows_sealed);
  EXPECT_LE(found.repeats, in_flight) << "only what was in flight is written again";
  EXPECT_GT(in_flight, 0U);
  EXPECT_GT(found.attributed, found.records / 10) << "or there was nothing to get wrong";
}

TEST(delivery, killed_under_load_nothing_is_lost_and_nobody_named_wrongly) {
  killed_under_load("out.ndjson", "{\"flow_id\":\"00");
}

TEST(delivery, killed_under_load_while_it_writes_blocks_nothing_is_lost_and_nobody_named_wrongly) {
  // The head of a block, and too little of what it announces.
  killed_under_load("out.tnr", std::string("TNR1\0\4\0\0\0\20\0\0\12\0\0\0", 16) + std::string(200, 'x'));
}

TEST(delivery, the_ledger_balances_at_every_scrape) {
  temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  node_process node(output, {"--hold", "300ms"});
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  std::minstd_rand draw(4740);
  int scrapes = 0;
  double held_at_most = 0;
  fleet.play_until(
      [&] {
        if (draw() % 20 == 0) fleet.fleet().cut(draw() % 20);  // its batches are repeated
        const auto text = node.metrics();
        const auto sums = imbalances(text);
        for (const auto& [agent, sum] : sums) EXPECT_EQ(sum, 0) << agent << "\n" << text;
        held_at_most = std::max(held_at_most, value_of(text, "tenure_node_flows_held"));
        return ++scrapes >= 150 && sums.size() == 21;
      },
      seconds{60});
  EXPECT_GE(scrapes, 150);
  EXPECT_GT(held_at_most, 0);
  ASSERT_TRUE(fleet.settle());
  const auto& sent = fleet.fleet().counters();
  const auto text = node.metrics();
  EXPECT_GT(value_of(text, "tenure_node_flows_repeated_total"), 0);
  EXPECT_EQ(value_of(text, "tenure_node_flows_held"), 0);

  child query(
      {tenure_binary(), "query", "ledger", "--json", "--http", "127.0.0.1:" + std::to_string(node.http())});
  ASSERT_EQ(query.wait(), 0) << query.err();
  const auto ledger = nlohmann::json::parse(query.out());
  EXPECT_EQ(ledger.at("agents").size(), 20U);
  const auto& all = ledger.at("all");
  EXPECT_EQ(all.at("received").get<std::uint64_t>() - all.at("repeated").get<std::uint64_t>() -
                all.at("dropped").get<std::uint64_t>(),
            sent.flows_sealed);
  child readable({tenure_binary(), "query", "ledger", "--http", "127.0.0.1:" + std::to_string(node.http())});
  ASSERT_EQ(readable.wait(), 0) << readable.err();
  EXPECT_NE(readable.out().find("played-7 "), std::string::npos) << readable.out();
  expect_all_there_and_right(fleet.judge(output));
}

TEST(delivery, with_little_memory_agents_wait_and_nothing_is_lost) {
  temporary_folder folder;
  const std::string output = folder / "out.ndjson";
  node_process node(output, {"--hold", "500ms", "--held-memory", "1MiB"});
  played_fleet fleet(node.address(), churning_fleet(), brisk());
  // 80 bytes each: 10,000 flows a second for half a second do not fit, with what is promised to twenty
  // agents.
  double most = 0;
  int looks = 0;
  fleet.play_until(
      [&] {
        if (++looks % 10 == 0) most = std::max(most, node.metric_now("tenure_node_held_bytes"));
        return false;
      },
      seconds{4});
  EXPECT_GT(most, 0.3 * (1 << 20));
  EXPECT_LT(most, (1 << 20) + 20 * 16'384) << "the budget, and a batch of each agent";
  ASSERT_TRUE(fleet.settle());
  expect_all_there_and_right(fleet.judge(output));
  EXPECT_EQ(node.metric_now("tenure_node_sessions_flooding_total"), 0);
}

}  // namespace
}  // namespace tenure::testing
