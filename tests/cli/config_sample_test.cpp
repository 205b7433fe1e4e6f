// config/tenure.toml shows every option of `tenure up` with its default, and means what it shows.
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "cli/command_line.hpp"
#include "cli/commands.hpp"

namespace tenure::cli {
namespace {

std::string sample() {
  std::ifstream in(TENURE_SOURCE_DIR "/config/tenure.toml");
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string with_keys_taken_in(const std::string& text) {
  static const std::regex commented_key(R"((^|\n)#([a-z-]+ = ))");
  return std::regex_replace(text, commented_key, "$1$2");
}

std::string section(const std::string& text, const std::string& name) {
  const auto start = text.find("\n[" + name + "]");
  return start == std::string::npos ? "" : text.substr(start, text.find("\n[", start + 1) - start);
}

struct result {
  int code = 0;
  std::string out;
  std::string err;
};

/// Runs the real command line, with a command `look` beside the others that does nothing with its
/// configuration.
result run(std::vector<std::string> arguments) {
  command_line line("", "0");
  add_commands(line);
  line.add("look", "reads the configuration and ends").run([](console&) { return outcome<void>{}; });
  std::ostringstream out;
  std::ostringstream err;
  const int code =
      line.run(std::move(arguments), [](const char*) -> const char* { return nullptr; }, {out, err});
  return {code, out.str(), err.str()};
}

class config_sample : public testing::Test {
 protected:
  result look_at(const std::string& text) {
    const std::string file = testing::TempDir() + "tenure-sample-" + std::to_string(::getpid()) + ".toml";
    std::ofstream(file) << text;
    const auto r = run({"look", "--config", file});
    std::remove(file.c_str());
    return r;
  }
};

TEST_F(config_sample, is_taken_as_it_stands_and_with_every_key_taken_in) {
  ASSERT_FALSE(sample().empty());
  const auto as_it_stands = look_at(sample());
  EXPECT_EQ(as_it_stands.code, 0) << as_it_stands.err;
  const auto with_keys = with_keys_taken_in(sample());
  ASSERT_NE(with_keys, sample());
  const auto taken_in = look_at(with_keys);
  EXPECT_EQ(taken_in.code, 0) << taken_in.err;
}

TEST_F(config_sample, would_be_refused_with_a_key_that_nobody_knows) {
  const auto r = look_at(sample() + "hodl = \"1m\"\n");
  EXPECT_EQ(r.code, 2);
  EXPECT_NE(r.err.find("hodl"), std::string::npos) << r.err;
}

TEST_F(config_sample, names_every_option_of_up_with_its_default) {
  const auto help = run({"up", "--help"}).out;
  const auto up = section(sample(), "up");
  // A line of the help: "  --hold DURATION=1m   how long ..."; the default follows the equals sign.
  static const std::regex option("\n  --([a-z-]+)( [A-Z:]+=?([^ \n]*))?");
  std::size_t options = 0;
  for (std::sregex_iterator o(help.begin(), help.end(), option), end; o != end; ++o) {
    const auto name = (*o)[1].str();
    if (name == "config") continue;
    ++options;
    std::smatch key;
    const std::regex line("\n#" + name + " = \"?([^\"\n]*)");
    ASSERT_TRUE(std::regex_search(up, key, line)) << name << " is missing in config/tenure.toml";
    const auto value = key[1].str();
    const bool list = !value.empty() && value[0] == '[';
    const bool flag = !(*o)[2].matched && value == "false";
    EXPECT_TRUE(list || flag || value == (*o)[3].str())
        << name << ": " << value << ", but in the help " << (*o)[3].str();
  }
  EXPECT_GT(options, 10U) << help;
}

}  // namespace
}  // namespace tenure::cli
