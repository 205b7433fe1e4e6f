#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/child.hpp"

// `tenure demo` as users run it: the real agent and node on the real kernel.
namespace tenure::testing {
namespace {

using nlohmann::json;
using std::chrono::seconds;

class DemoCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
  }

  json verdict() const {
    std::ifstream file(verdict_file);
    return json::parse(file, nullptr, false);
  }
  /// What carries the name of that run.
  static std::string left_by(pid_t demo) {
    std::string found;
    const std::string name = "tenure-demo-" + std::to_string(demo);
    for (const auto* folder : {"/run", "/run/netns", "/sys/fs/bpf"}) {
      std::error_code unreadable;
      for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable)) {
        const auto file = entry.path().filename().string();
        if (file == name || file.starts_with(name + "-")) found += entry.path().string() + "\n";
      }
    }
    return found;
  }

  temporary_folder folder;
  std::string verdict_file = folder / "verdict.json";
};

TEST_F(DemoCommand, MisattributesNothingAndLosesNothing) {
  child demo(
      {tenure_binary(), "demo", "--seconds", "12", "--hold", "2s", "--seed", "5", "--json", verdict_file});
  ASSERT_EQ(demo.wait(seconds{90}), 0) << demo.out() << demo.err();
  const auto v = verdict();
  ASSERT_TRUE(v.is_object());
  EXPECT_GT(v["flows"], 1000);
  EXPECT_EQ(v["misattributed"], 0);
  EXPECT_EQ(v["lost"], 0);
  EXPECT_EQ(v["kernel_events_lost"], 0);
  EXPECT_GE(v["both_named_share"], 0.98) << v.dump(2);  // a laden machine costs some
  EXPECT_GT(v["baselines"]["current_owner"]["misattributed"], 50);
  EXPECT_GT(v["scenarios"]["syn_retried_across_handover"], 0);
  EXPECT_NE(demo.out().find("Right"), std::string::npos);
  EXPECT_EQ(left_by(demo.id()), "");
}

TEST_F(DemoCommand, ShowsItsVerdictAndCleansUpWhenInterrupted) {
  child demo(
      {tenure_binary(), "demo", "--seconds", "600", "--hold", "1s", "--seed", "6", "--json", verdict_file});
  ASSERT_TRUE(demo.says("hand-overs\n", seconds{30})) << demo.err();
  demo.signal(SIGINT);
  EXPECT_EQ(demo.wait(seconds{60}), 0) << demo.out() << demo.err();
  const auto v = verdict();
  ASSERT_TRUE(v.is_object());
  EXPECT_EQ(v["interrupted"], true);
  EXPECT_EQ(v["misattributed"], 0);
  EXPECT_EQ(v["lost"], 0);
  EXPECT_EQ(left_by(demo.id()), "");
}

TEST_F(DemoCommand, RefusesWhatMakesNoSense) {
  EXPECT_EQ(child({tenure_binary(), "demo", "--seconds", "0"}).wait(), 2);
  EXPECT_EQ(child({tenure_binary(), "demo", "--instances", "1000"}).wait(), 2);
  EXPECT_EQ(child({tenure_binary(), "demo", "--json", "/nowhere/verdict.json"}).wait(), 3);
  EXPECT_EQ(child({tenure_binary(), "demo-instance"}).wait(), 3);
}

}  // namespace
}  // namespace tenure::testing
