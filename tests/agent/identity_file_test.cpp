#include "agent/identity_file.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::agent {
namespace {

TEST(identity_file, says_who_the_host_is) {
  const auto read = parse_identity(R"(workload = "checkout"
addresses = ["10.1.2.3", "2001:db8::3", "10.1.2.3"]
labels = { zone = "b" })",
                                   "who.toml");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->workload.name, "checkout");
  ASSERT_EQ(read->addresses.size(), 2U);
  EXPECT_EQ(read->addresses[1].to_string(), "2001:db8::3");
  ASSERT_EQ(read->workload.labels.size(), 1U);
  EXPECT_EQ(read->workload.labels[0].second, "b");
}

struct broken {
  const char* text;
  const char* said;
};

class identity_file_broken : public ::testing::TestWithParam<broken> {};

TEST_P(identity_file_broken, is_refused_with_name_and_line) {
  const auto read = parse_identity(GetParam().text, "who.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().trouble, trouble::usage);
  EXPECT_EQ(read.error().text.find(GetParam().said), 0U) << read.error().text;
  EXPECT_EQ(read.error().text.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    texts, identity_file_broken,
    ::testing::Values(broken{"workload = \"a\"\nadresses = []", "who.toml:2: unknown key `adresses`"},
                      broken{"labels = {}", "who.toml: `workload` is missing"},
                      broken{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                             "who.toml: there is no certificate in it"},
                      broken{"addresses = [\"10.0.0.1\"]", "who.toml: `workload` is missing"},
                      broken{"\nworkload = 3", "who.toml:2: `workload`"},
                      broken{"workload = \"\"", "who.toml:1: `workload`"},
                      broken{"workload = \"a\"\naddresses = [\n\"10.0.0.1\",\n\"10.0.0\"]",
                             "who.toml:4: expected an address"},
                      broken{"addresses = [\"127.0.0.1\"]", "who.toml:1: 127.0.0.1 means"},
                      broken{"labels = { zone = 3 }", "who.toml:1: label `zone`"},
                      broken{"workload = \"a\nb", "who.toml:1: "}));

TEST(identity_file, that_is_not_there_is_named) {
  const auto read = load_identity_file("there-is-none.toml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().text.find("there-is-none.toml: cannot be read: No such file"), 0U)
      << read.error().text;
}

RC_GTEST_PROP(identity_file_bytes, any_are_survived, (const std::string& text)) {
  std::ignore = parse_identity(text, "any");
}

}  // namespace
}  // namespace tenure::agent
