#include "cli/command_line.hpp"

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <sys/stat.h>

#include <gtest/gtest.h>

namespace tenure::cli {
namespace {

using namespace std::chrono_literals;

class CommandLine : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "tenure-cli-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream(path) << text;
    return path.string();
  }

  // A new command line each time: options keep what they were given.
  int run(std::vector<std::string> arguments) {
    command_line line("says who", "1.2.3");
    auto& up = line.add("up", "run here");
    up.option("hold", hold_, "how long a flow waits");
    up.option("routable", routable_, "routable CIDRs");
    up.option("batch", batch_, "flows a batch");
    up.option("json", json_, "summary");
    up.flag("quiet", quiet_, "say nothing");
    up.run([this](console& io) -> outcome<void> {
      io.out << "data\n";
      if (refuse_) return fail(trouble::refused, "port 1 is in use");
      return {};
    });
    line.group("sim", "simulate");
    auto& sim = line.add("sim run", "one seed");
    sim.option("seed", seed_, "the seed").must_be_given();
    sim.positional("SCENARIO", scenario_, "a name");
    sim.run([](console&) -> outcome<void> { return {}; });
    std::ostringstream out;
    std::ostringstream err;
    const int code = line.run(std::move(arguments),
                              [this](const char* name) {
                                const auto at = environment_.find(name);
                                return at == environment_.end() ? nullptr : at->second.c_str();
                              },
                              {out, err});
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  std::filesystem::path folder_;
  std::map<std::string, std::string> environment_;
  std::chrono::nanoseconds hold_ = 60s;
  std::vector<prefix> routable_;
  std::uint32_t batch_ = 50;
  std::optional<std::filesystem::path> json_;
  bool quiet_ = false;
  bool refuse_ = false;
  std::uint64_t seed_ = 0;
  std::string scenario_;
  std::string out_;
  std::string err_;
};

TEST_F(CommandLine, DefaultsStandWhereNothingWasGiven) {
  EXPECT_EQ(run({"up"}), 0);
  EXPECT_EQ(hold_, 60s);
  EXPECT_FALSE(json_.has_value());
  EXPECT_EQ(out_, "data\n");
  EXPECT_EQ(err_, "");
}

TEST_F(CommandLine, FlagsBeatEnvironmentBeatsFile) {
  const auto file =
      write("tenure.toml", "[up]\nhold = \"1m\"\nbatch = 7\nquiet = true\nroutable = [\"10.0.0.0/8\"]\n");
  environment_["TENURE_HOLD"] = "2m";
  environment_["TENURE_BATCH"] = "8";
  EXPECT_EQ(run({"up", "--config", file, "--hold", "3m"}), 0) << err_;
  EXPECT_EQ(hold_, 3min);
  EXPECT_EQ(batch_, 8U);
  EXPECT_TRUE(quiet_);
  EXPECT_EQ(routable_, std::vector{*prefix::parse("10.0.0.0/8")});
}

TEST_F(CommandLine, TheFileCanBeNamedByTheEnvironment) {
  environment_["TENURE_CONFIG"] = write("tenure.toml", "[up]\nbatch = 9\n[sim.run]\nseed = 4\n");
  EXPECT_EQ(run({"up"}), 0) << err_;
  EXPECT_EQ(batch_, 9U);
  EXPECT_EQ(run({"sim", "run", "quick"}), 0) << err_;
  EXPECT_EQ(seed_, 4U);
  EXPECT_EQ(scenario_, "quick");
}

TEST_F(CommandLine, ListsRepeatAsFlagsAndAreCommaSeparatedInTheEnvironment) {
  EXPECT_EQ(run({"up", "--routable", "10.0.0.0/8", "--routable", "2001:db8::/32"}), 0) << err_;
  EXPECT_EQ(routable_.size(), 2U);
  environment_["TENURE_ROUTABLE"] = "10.0.0.0/8,10.1.0.0/16,::/0";
  EXPECT_EQ(run({"up"}), 0) << err_;
  EXPECT_EQ(routable_.size(), 3U);
}

TEST_F(CommandLine, AnUnknownKeyIsNamedWithFileAndLine) {
  const auto file = write("tenure.toml", "[up]\nhold = \"1m\"\n\nholt = \"2m\"\n");
  EXPECT_EQ(run({"up", "--config", file}), 2);
  EXPECT_EQ(err_, "tenure: " + file + ":4: up.holt: unknown key\n");
  EXPECT_EQ(out_, "");
}

TEST_F(CommandLine, TheSectionsOfOtherCommandsAreCheckedToo) {
  const auto file = write("tenure.toml", "[sim.run]\nseeed = 1\n");
  EXPECT_EQ(run({"up", "--config", file}), 2);
  EXPECT_EQ(err_, "tenure: " + file + ":2: sim.run.seeed: unknown key\n");
  EXPECT_EQ(run({"up", "--config", write("b.toml", "\n[upp]\n")}), 2);
  EXPECT_NE(err_.find("b.toml:2: upp: unknown section"), std::string::npos) << err_;
}

TEST_F(CommandLine, AValueThatCannotBeReadIsRefusedWithItsSource) {
  EXPECT_EQ(run({"up", "--hold", "soon"}), 2);
  EXPECT_EQ(err_, "tenure: --hold: expected a duration such as 500ms, 10s, 5m or 24h, not 'soon'\n");
  environment_["TENURE_BATCH"] = "-1";
  EXPECT_EQ(run({"up"}), 2);
  EXPECT_EQ(err_, "tenure: TENURE_BATCH: expected a whole number, not negative, not '-1'\n");
  environment_.clear();
  const auto file = write("tenure.toml", "[up]\nbatch = [1, 2]\n");
  EXPECT_EQ(run({"up", "--config", file}), 2);
  EXPECT_EQ(err_, "tenure: " + file + ":2: up.batch: expected a whole number, not negative, not an array\n");
  EXPECT_EQ(run({"up", "--config", write("c.toml", "[up]\nbatch = 1970-01-01\n")}), 2);
  EXPECT_EQ(run({"up", "--config", write("d.toml", "[up\n")}), 2);
  EXPECT_NE(err_.find("d.toml:1: "), std::string::npos) << err_;
  EXPECT_EQ(run({"up", "--config", "/nowhere/tenure.toml"}), 2);
  EXPECT_EQ(err_, "tenure: /nowhere/tenure.toml: cannot be read: No such file or directory\n");
  EXPECT_EQ(run({"up", "--config", folder_.string()}), 2);
}

TEST_F(CommandLine, WrongUsageIsOneLineAndExitTwo) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"nope"},
                                             {"up", "--nope"},
                                             {"up", "--hold"},
                                             {"sim"},
                                             {"sim", "run", "quick"},
                                             {"up", "extra"}}) {
    EXPECT_EQ(run(arguments), 2);
    EXPECT_EQ(out_, "");
    EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 1) << err_;
    EXPECT_TRUE(err_.starts_with("tenure: ")) << err_;
  }
}

TEST_F(CommandLine, ACommandsFailureIsItsExitCode) {
  refuse_ = true;
  EXPECT_EQ(run({"up"}), 3);
  EXPECT_EQ(err_, "tenure: port 1 is in use\n");
}

TEST_F(CommandLine, HelpAndVersionAreData) {
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_EQ(out_, "tenure 1.2.3\n");
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_NE(out_.find("run here"), std::string::npos) << out_;
  EXPECT_EQ(run({"up", "--help"}), 0);
  EXPECT_NE(out_.find("--hold DURATION=1m"), std::string::npos) << out_;
  EXPECT_NE(out_.find("[up]"), std::string::npos) << out_;
  EXPECT_EQ(err_, "");
}

TEST(Duration, ReadsWholeNumbersOfOneUnit) {
  EXPECT_EQ(parse_duration("500ms"), 500ms);
  EXPECT_EQ(parse_duration("10s"), 10s);
  EXPECT_EQ(parse_duration("5m"), 5min);
  EXPECT_EQ(parse_duration("24h"), 24h);
  EXPECT_EQ(parse_duration("0s"), 0s);
  for (const char* bad : {"", "10", "s", "-1s", "1.5s", "1 s", "1h30m", "9999999999h", "+1s", " 1s"})
    EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
}

TEST(Duration, IsWrittenInItsLargestWholeUnit) {
  EXPECT_EQ(duration_text(120s), "2m");
  EXPECT_EQ(duration_text(90s), "90s");
  EXPECT_EQ(duration_text(0s), "0s");
  EXPECT_EQ(duration_text(1ns), "1ns");
}

TEST(ByteCount, ReadsWholeNumbersOfOneUnitAndWritesTheLargest) {
  using size = option_value<byte_count>;
  EXPECT_EQ(size::parse("65536")->bytes, 65'536U);
  EXPECT_EQ(size::parse("512MiB")->bytes, 512U << 20);
  EXPECT_EQ(size::parse("16777215GiB")->bytes, std::uint64_t{16'777'215} << 30);
  for (const char* bad :
       {"", "-1", "1GB", "1 MiB", "MiB", "1.5GiB", "17179869184GiB", "99999999999999999999"})
    EXPECT_FALSE(size::parse(bad).has_value()) << bad;
  for (const char* same : {"0", "65535", "64KiB", "512MiB", "4GiB"})
    EXPECT_EQ(size::text(*size::parse(same)), same);
}

}  // namespace
}  // namespace tenure::cli
