// The tree against the rules of the house, and each rule against a violation planted for it: a check that
// cannot fail would let everything through.
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/house/checks.hpp"

namespace tenure::house {
namespace {

struct rule {
  std::string name;
  std::function<findings(const source_file&)> check;
  std::vector<source_file> planted;  ///< each must be found
  std::vector<source_file> fine;     ///< none may be found
};

void PrintTo(const rule& r, std::ostream* out) {
  *out << r.name;
}

const std::vector<source_file>& tree() {
  static const auto files = read_tree(TENURE_SOURCE_DIR);
  return files;
}

std::string lines(std::size_t count) {
  std::string text = "#pragma once\n";
  for (std::size_t i = 1; i < count; ++i) text += "int x" + std::to_string(i) + ";\n";
  return text;
}

std::vector<rule> rules() {
  return {
      {"reads_the_world",
       reads_the_world,
       {{"actors/a.cpp", "auto t = std::chrono::system_clock::now();\n"},
        {"agent/a.cpp", "auto t = std::chrono::steady_clock::now();\n"},
        {"ownership/a.cpp", "std::random_device seed;\n"},
        {"sinks/a.cpp", "auto t = time(nullptr);\n"},
        {"transport/a.cpp", "std::this_thread::sleep_for(1s);\n"},
        {"demo/a.cpp", "usleep(10);\n"},
        {"demo/b.cpp", "clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);\n"},
        {"agent/b.cpp", "const char* home = getenv(name);\n"},
        {"capnp/a.cpp", "int r = rand();\n"},
        {"sinks/b.cpp", "void parse(int argc, char** argv);\n"},
        {"tests/agent/a.cpp", "std::this_thread::sleep_for(1s);\n"},
        {"tests/agent/b.cpp", "std::random_device seed;\n"}},
       {{"cli/a.cpp", "auto t = std::chrono::system_clock::now();\n"},
        {"actors/a.cpp", "// never system_clock here\nlog(\"random_device\"); int operand(int);\n"},
        {"tests/agent/a.cpp", "auto give_up = std::chrono::steady_clock::now() + 5s;\n"},
        {"docs/a.md", "sleep_for\n"}}},
      {"knows_too_much",
       knows_too_much,
       {{"ownership/a.hpp", "#include \"capnp/codec.hpp\"\n"},
        {"ownership/b.hpp", "#include <caf/all.hpp>\n"},
        {"ownership/c.hpp", "#include <unistd.h>\n"},
        {"sinks/a.cpp", "#include \"actors/protocol.hpp\"\n"},
        {"actors/b.cpp", "#include <asio/ip/tcp.hpp>\n"},
        {"transport/a.cpp", "#  include \"agent/clock.hpp\"\n"},
        {"actors/a.cpp", "#include \"protocol.hpp\"\n"},
        {"capnp/a.cpp", "#include \"tests/capnp/random_message.hpp\"\n"},
        {"somewhere/a.cpp", "#include \"ownership/time.hpp\"\n"}},
       {{"ownership/a.hpp",
         "#include <vector>\n#include <tl/expected.hpp>\n#include \"ownership/time.hpp\"\n"},
        {"actors/a.cpp", "#include <caf/actor.hpp>\n#include \"agent/clock.hpp\"\n"},
        {"capnp/a.cpp", "#include \"wire.capnp.h\"\n#include <capnp/serialize.h>\n"},
        {"cli/a.cpp", "#include \"actors/protocol.hpp\"\n#include <CLI/CLI.hpp>\n"}}},
      {"grows_too_long", grows_too_long, {{"actors/a.hpp", lines(401)}}, {{"actors/a.hpp", lines(400)}}},
      {"names_nothing",
       names_nothing,
       {{"agent/string_utils.hpp", "#pragma once\n"},
        {"agent/a.hpp", "class tenancy_manager {\n"},
        {"agent/b.hpp", "namespace tenure::helper {\n"}},
       {{"agent/batcher.hpp", "class batcher {\n"}, {"agent/a.hpp", "struct futile {};\n"}}},
      {"leaves_open",
       leaves_open,
       {{"agent/a.cpp",
         "// TO"
         "DO: later\n"},
        {"Makefile",
         "# FIX"
         "ME\n"},
        {"a.sh",
         "echo not imple"
         "mented\n"}},
       {{"agent/a.cpp", "// to do this well, it waits\n"}}},
      {"names_a_machine",
       names_a_machine,
       {{"tests/a.sh",
         "cd /ro"
         "ot/tenure\n"},
        {"docs/a.md",
         "clone into `/wo"
         "rk/main`\n"}},
       {{"docs/a.md",
         "see /run/tenure/ipman.sock and ../wo"
         "rk/ and x/ro"
         "ot/\n"}}},
      {"starts_badly",
       starts_badly,
       {{"agent/a.hpp", "#include <vector>\n"},
        {"agent/b.cpp", "/* Tenure */\n#include <vector>\n"},
        {"agent/c.cpp", "// ------------------\n// Tenure\n"},
        {"agent/d.cpp", "// Copyright the authors\n#include <vector>\n"},
        {"agent/e.cpp", "namespace tenure {\n"}},
       {{"agent/a.hpp", "#pragma once\n"},
        {"agent/b.cpp", "#include <vector>\n"},
        {"agent/c.cpp", "// Says why it is there.\n#include <vector>\n"},
        {"bpf/a.bpf.c",
         "// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only\n#include \"vmlinux.h\"\n"}}},
      {"links_nowhere",
       [](const source_file& f) { return links_nowhere(f, tree()); },
       {{"docs/a.md", "see [the rule](nowhere.md)\n"}, {"docs/b.md", "see `ownership/nowhere.hpp`\n"}},
       {{"docs/a.md", "see [the licence](../LICENSE) and [the web](https://example.org/)\n"}}},
  };
}

std::string join(const findings& found) {
  std::string text;
  for (const auto& line : found) text += line + "\n";
  return text;
}

class house : public testing::TestWithParam<rule> {};

TEST_P(house, finds_what_was_planted) {
  for (const auto& f : GetParam().planted)
    EXPECT_FALSE(GetParam().check(f).empty()) << f.path << "\n" << f.text;
}

TEST_P(house, lets_pass_what_is_fine) {
  for (const auto& f : GetParam().fine) EXPECT_EQ(join(GetParam().check(f)), "") << f.path << "\n" << f.text;
}

TEST_P(house, is_kept_by_the_tree) {
  ASSERT_GT(tree().size(), 50U) << "the tree was not found at " TENURE_SOURCE_DIR;
  findings all;
  for (const auto& f : tree()) {
    const auto found = GetParam().check(f);
    all.insert(all.end(), found.begin(), found.end());
  }
  EXPECT_TRUE(all.empty()) << join(all);
}

INSTANTIATE_TEST_SUITE_P(rules, house, testing::ValuesIn(rules()),
                         [](const testing::TestParamInfo<rule>& tested) { return tested.param.name; });

}  // namespace
}  // namespace tenure::house
