// `tenure sim sweep` as its users run it: killed and taken up again, from a configuration file, and failing.
#include <csignal>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/process/child.hpp"

namespace tenure::testing {
namespace {

using namespace std::chrono_literals;

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const std::string& file) {
  std::istringstream text(text_of(file));
  std::vector<std::string> all;
  for (std::string line; std::getline(text, line);) all.push_back(line);
  return all;
}

/// What of a row is the same in every sweep: all but the last column, which is the CPU time.
std::string without_cpu(const std::string& row) {
  return row.substr(0, row.rfind(','));
}

struct sweep_files {
  temporary_folder folder;
  std::string scenario = folder / "small.toml";
  std::string csv = folder / "rows.csv";
  std::string html = folder / "report.html";

  sweep_files() {
    std::ofstream(scenario) << "horizon = \"2m\"\n[fleet]\nworkloads = 4\ninstances = 20\nhosts = 3\n";
  }
  std::vector<std::string> command(const std::string& seeds) const {
    return {tenure_binary(), "sim", "sweep", scenario, "--set",  "fleet.reuse_gap=0s,5s",
            "--seeds",       seeds, "--csv", csv,      "--html", html,
            "--jobs",        "2"};
  }
};

TEST(sweep, goes_on_where_it_was_killed) {
  const sweep_files f;
  std::vector<std::string> before;
  {
    child first(f.command("40"));
    // A few rows are enough to be cut off in the middle.
    ASSERT_TRUE(eventually([&] { return lines_of(f.csv).size() > 4; }, 60s)) << first.err();
    first.signal(SIGKILL);
    ASSERT_EQ(first.wait(), 128 + SIGKILL) << "it was over before it could be killed";
  }
  before = lines_of(f.csv);
  ASSERT_LT(before.size(), 81U);
  std::ofstream(f.csv, std::ios::app) << "small,0s,torn";

  child second(f.command("40"));
  ASSERT_EQ(second.wait(60s), 0) << second.err();
  const auto all = lines_of(f.csv);
  ASSERT_EQ(all.size(), 81U);
  std::map<std::string, int> rows;
  for (const auto& line : all) ++rows[line];
  // With its CPU time a row tells whether it was run again.
  for (const auto& line : before) EXPECT_EQ(rows[line], 1) << line;
  const auto found = "80 runs, " + std::to_string(before.size() - 1) + " of them in ";
  EXPECT_NE(second.err().find(found), std::string::npos) << second.err();

  // A third has nothing to do, and says so at once; the rows stay as they are.
  child third(f.command("40"));
  ASSERT_EQ(third.wait(60s), 0) << third.err();
  EXPECT_EQ(lines_of(f.csv), all);
}

TEST(sweep, comes_to_the_same_with_any_number_of_workers) {
  const sweep_files one;
  const sweep_files other;
  child alone({tenure_binary(), "sim", "sweep", one.scenario, "--set", "fleet.reuse_gap=0s,5s", "--seeds",
               "3", "--csv", one.csv, "--html", "", "--jobs", "1"});
  // The same from a file.
  const auto config = other.folder / "sweep.toml";
  std::ofstream(config) << "[sim.sweep]\nset = [\"fleet.reuse_gap=0s,5s\"]\nseeds = 3\njobs = 3\ncsv = \""
                        << other.csv << "\"\nhtml = \"" << other.html << "\"\n";
  child from_file({tenure_binary(), "sim", "sweep", other.scenario, "--config", config});
  ASSERT_EQ(alone.wait(60s), 0) << alone.err();
  ASSERT_EQ(from_file.wait(60s), 0) << from_file.err();
  const auto first = lines_of(one.csv);
  const auto second = lines_of(other.csv);
  ASSERT_EQ(first.size(), 7U);
  ASSERT_EQ(second.size(), 7U);
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(without_cpu(first[i]), without_cpu(second[i]));
  EXPECT_EQ(text_of(one.html), "");
  EXPECT_NE(text_of(other.html).find("\"sections\""), std::string::npos);
}

TEST(sweep, ends_with_1_when_a_promise_was_broken_and_says_how_to_see_it_again) {
  const sweep_files f;
  auto command = f.command("2");
  command.insert(command.end(), {"--set", "fleet.double_grant_share=0.3"});
  child broken(command);
  EXPECT_EQ(broken.wait(60s), 1) << broken.err();
  EXPECT_NE(broken.err().find("again: tenure sim run "), std::string::npos) << broken.err();
  EXPECT_NE(broken.err().find(" --set fleet.double_grant_share=0.3"), std::string::npos) << broken.err();
  // Nothing is left to be run, and it is still not well.
  child again(command);
  EXPECT_EQ(again.wait(60s), 1) << again.err();
}

TEST(sweep, refuses_a_file_of_another_sweep_and_one_that_is_being_written) {
  const sweep_files f;
  std::ofstream(f.csv) << "time,price\n1,2\n";
  child other(f.command("1"));
  EXPECT_EQ(other.wait(), 2);
  EXPECT_NE(other.err().find("line 1"), std::string::npos) << other.err();
  EXPECT_EQ(text_of(f.csv), "time,price\n1,2\n");
  std::ofstream(f.csv, std::ios::trunc);
  child first(f.command("400"));
  ASSERT_TRUE(eventually([&] { return lines_of(f.csv).size() > 1; }, 60s)) << first.err();
  child second(f.command("400"));
  EXPECT_EQ(second.wait(), 3);
  EXPECT_NE(second.err().find("another process is writing it"), std::string::npos) << second.err();
}

TEST(sim_run, takes_presets_without_a_file_and_refuses_nothing_at_all) {
  child preset(
      {tenure_binary(), "sim", "run", "--preset", "full-pool", "--preset", "gap-0", "--set", "horizon=2m"});
  EXPECT_EQ(preset.wait(60s), 0) << preset.err();
  EXPECT_EQ(preset.out().rfind("full-pool+gap-0: 1 runs", 0), 0U) << preset.out();
  child nothing({tenure_binary(), "sim", "run"});
  EXPECT_EQ(nothing.wait(), 2);
  EXPECT_NE(nothing.err().find("--preset"), std::string::npos) << nothing.err();
}

}  // namespace
}  // namespace tenure::testing
