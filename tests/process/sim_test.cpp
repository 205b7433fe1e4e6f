#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/process/child.hpp"

// `tenure sim run`, `sim replay`, `attribute` and `check` together, as their users run them.
namespace tenure::testing {
namespace {

const std::string scenarios = TENURE_SOURCE_DIR "/config/scenarios/";
constexpr std::chrono::seconds bound{120};

struct simulated : ::testing::Test {
  temporary_folder folder;

  struct result {
    int code = -1;
    std::string out;
    std::string err;
  };
  static result run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), tenure_binary());
    child process(std::move(arguments));
    const int code = process.wait(bound);
    return {code, process.out(), process.err()};
  }
  static std::string text_of(const std::string& path) {
    std::ostringstream all;
    all << std::ifstream(path).rdbuf();
    return all.str();
  }
  static nlohmann::json json_of(const std::string& path) {
    return nlohmann::json::parse(text_of(path), nullptr, false);
  }
  /// A small fleet of whom all is known.
  void export_history() {
    const auto r = run({"sim", "run", scenarios + "quiet.toml", "--seed", "3", "--set", "horizon=3m", "--set",
                        "fleet.hosts=4", "--set", "fleet.instances=30", "--set", "fleet.addresses=32",
                        "--export", folder / "x", "--shrunk", "", "--json", folder / "run.json"});
    ASSERT_EQ(r.code, 0) << r.err;
  }
  result check(const std::string& answers) {
    return run(
        {"check", "--truth", folder / "x/truth.ndjson", folder / answers, "--json", folder / "check.json"});
  }
};

TEST_F(simulated, history_attributed_over_files_is_right_and_as_much_as_the_run_had) {
  export_history();
  const auto attributed = run({"attribute", "--evidence", folder / "x/evidence.ndjson", "--flows",
                               folder / "x/flows.ndjson", "--output", folder / "mine.ndjson"});
  ASSERT_EQ(attributed.code, 0) << attributed.err;
  const auto report = json_of(folder / "run.json");
  for (const char* answers : {"mine.ndjson", "x/answers.ndjson"}) {
    const auto r = check(answers);
    EXPECT_EQ(r.code, 0) << r.err;
    const auto found = json_of(folder / "check.json");
    EXPECT_EQ(found["misattributed"], 0);
    EXPECT_EQ(found["flows"], report["flows"]);
    EXPECT_EQ(found["attributed"], report["attributed"]);
    EXPECT_GT(found["coverage"], 0.5);
    EXPECT_EQ(found["unanswered"], 0);
  }
}

TEST_F(simulated, history_shows_a_false_answer_and_one_about_no_flow) {
  export_history();
  std::ifstream right(folder / "x/answers.ndjson");
  std::ofstream wrong(folder / "wrong.ndjson");
  std::string line;
  int number = 0;
  while (std::getline(right, line)) {
    auto answer = nlohmann::json::parse(line);
    if (++number == 2) answer["workload"] = "nobody-of-the-fleet";
    if (number == 3) continue;
    wrong << answer.dump() << '\n';
  }
  wrong << R"({"flow_id":17,"workload":null})" << '\n';
  wrong.close();
  const auto r = check("wrong.ndjson");
  EXPECT_EQ(r.code, 1) << r.err;
  EXPECT_NE(r.err.find("wrong.ndjson:2: flow "), std::string::npos) << r.err;
  EXPECT_NE(r.err.find("said nobody-of-the-fleet, but it was "), std::string::npos) << r.err;
  const auto found = json_of(folder / "check.json");
  EXPECT_EQ(found["misattributed"], 1);
  EXPECT_EQ(found["unknown"], 1);
  EXPECT_EQ(found["unanswered"], 1);
  EXPECT_EQ(found["wrong"].size(), 2U);
}

TEST_F(simulated, history_that_is_no_json_or_of_several_nodes_is_refused) {
  std::ofstream(folder / "truth.ndjson") << "{\"flow_id\":\"a\",\"workload\":\"w\"}\n{\"flow_id\":\"b\"}\n";
  const auto broken = run({"check", "--truth", folder / "truth.ndjson", folder / "truth.ndjson"});
  EXPECT_EQ(broken.code, 2);
  EXPECT_NE(broken.err.find("truth.ndjson:2: expected the key \"workload\""), std::string::npos)
      << broken.err;
  const auto several =
      run({"sim", "run", scenarios + "quiet.toml", "--set", "cluster.nodes=2", "--export", folder / "y"});
  EXPECT_EQ(several.code, 2);
  EXPECT_NE(several.err.find("cluster.nodes=1"), std::string::npos) << several.err;
}

// An address that is given out while it is held breaks an assumption, and so promises.
TEST_F(simulated, failing_case_is_shown_made_smaller_and_replayed) {
  const auto failed = run({"sim", "run", scenarios + "swarm.toml", "--seed", "3", "--set",
                           "fleet.double_grant_share=0.3", "--shrunk", folder / "small.toml"});
  EXPECT_EQ(failed.code, 1);
  for (const auto* words :
       {"seed 3 of commit ", "I1 at ", "    flow ", "    said: ", "    true: ", "again: tenure sim run ",
        "--seed 3 --set fleet.double_grant_share=0.3", "tenure sim replay "})
    EXPECT_NE(failed.err.find(words), std::string::npos) << words << " is missing in\n" << failed.err;
  const auto small = text_of(folder / "small.toml");
  EXPECT_TRUE(small.starts_with("# seed 3 of swarm, made smaller; commit ")) << small;
  EXPECT_NE(small.find("# I1 at "), std::string::npos) << small;
  EXPECT_NE(small.find("fleet.double_grant_share = \"0.3\""), std::string::npos) << small;
  EXPECT_EQ(small.find("traffic.only = \"all\""), std::string::npos) << small;
  const auto again = run({"sim", "replay", folder / "small.toml"});
  EXPECT_EQ(again.code, 1);
  EXPECT_NE(again.err.find("I1 at "), std::string::npos) << again.err;
}

TEST_F(simulated, runs_of_one_seed_are_equal_in_two_processes) {
  for (const std::string file : {"one.json", "two.json"}) {
    const auto r = run({"sim", "run", scenarios + "swarm.toml", "--seed", "1", "--runs", "3", "--shrunk", "",
                        "--json", folder / file});
    EXPECT_EQ(r.code, 0) << r.err;
  }
  auto one = json_of(folder / "one.json");
  auto two = json_of(folder / "two.json");
  ASSERT_TRUE(one.is_object() && two.is_object());
  one.erase("cpu_seconds");
  two.erase("cpu_seconds");
  EXPECT_EQ(one, two);
  EXPECT_EQ(one["hash"].get<std::string>().size(), 16U);
}

}  // namespace
}  // namespace tenure::testing
