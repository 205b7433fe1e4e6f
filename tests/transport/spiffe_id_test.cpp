#include "transport/spiffe_id.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::transport {
namespace {

TEST(spiffe_id, is_told_from_what_only_looks_like_one) {
  for (const char* good : {"spiffe://prod", "spiffe://prod.example/node/a", "spiffe://a_b-c.1/X/y.z/..."})
    EXPECT_TRUE(is_spiffe_id(good)) << good;
  for (const char* bad :
       {"", "spiffe://", "spiffe:///node", "SPIFFE://prod/node", "https://prod/node", "spiffe://Prod/node",
        "spiffe://prod/", "spiffe://prod//node", "spiffe://prod/./node", "spiffe://prod/../node",
        "spiffe://prod/node?x", "spiffe://prod/node#x", "spiffe://prod:80/node", "spiffe://user@prod/node",
        "spiffe://prod/n%6fde", "spiffe://prod/*", "spiffe://prod/a b"})
    EXPECT_FALSE(is_spiffe_id(bad)) << bad;
  EXPECT_FALSE(is_spiffe_id(std::string_view("spiffe://prod/a\0b", 17)));
  EXPECT_FALSE(is_spiffe_id("spiffe://prod/" + std::string(max_spiffe_id_bytes, 'a')));
}

TEST(spiffe_pattern, stars_stand_for_whole_segments) {
  struct {
    const char* pattern;
    const char* id;
    bool matches;
  } const cases[] = {
      {"spiffe://prod/node/*", "spiffe://prod/node/a", true},
      {"spiffe://prod/node/*", "spiffe://prod/node", false},
      {"spiffe://prod/node/*", "spiffe://prod/node/a/b", false},
      {"spiffe://prod/node/*", "spiffe://prod/agent/a", false},
      {"spiffe://prod/node/*", "spiffe://production/node/a", false},
      {"spiffe://prod/node", "spiffe://prod/node", true},
      {"spiffe://prod/node", "spiffe://prod/nodes", false},
      {"spiffe://*/node/*", "spiffe://other.example/node/a", true},
      {"spiffe://prod/**", "spiffe://prod/a/b/c", true},
      {"spiffe://prod/**", "spiffe://prod", false},
      {"spiffe://prod/*/agent/**", "spiffe://prod/eu/agent/a", true},
  };
  for (const auto& c : cases) {
    const auto pattern = spiffe_pattern::parse(c.pattern);
    ASSERT_TRUE(pattern) << c.pattern;
    EXPECT_EQ(pattern->matches(c.id), c.matches) << c.pattern << " " << c.id;
    EXPECT_EQ(pattern->to_string(), c.pattern);
  }
}

TEST(spiffe_pattern, what_is_none_is_refused_with_its_text) {
  for (const char* bad :
       {"", "*", "node", "spiffe://", "spiffe://prod/**/x", "spiffe://prod/no*", "spiffe://**"}) {
    const auto pattern = spiffe_pattern::parse(bad);
    ASSERT_FALSE(pattern) << bad;
    EXPECT_EQ(pattern.error().trouble, trouble::usage);
    EXPECT_NE(pattern.error().text.find("'" + std::string(bad) + "'"), std::string::npos);
  }
}

RC_GTEST_PROP(spiffe_pattern, an_id_is_a_pattern_that_matches_itself_alone, ()) {
  const auto segment =
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::elementOf(std::string("abz09.-_"))));
  const auto any = [&] {
    std::string id = "spiffe://" + *segment;
    for (const auto& s : *rc::gen::container<std::vector<std::string>>(segment)) id += "/" + s;
    return id;
  };
  const auto one = any();
  const auto other = any();
  RC_PRE(is_spiffe_id(one) && is_spiffe_id(other));
  const auto pattern = spiffe_pattern::parse(one);
  RC_ASSERT(pattern.has_value());
  RC_ASSERT(pattern->matches(one));
  RC_ASSERT(pattern->matches(other) == (one == other));
}

}  // namespace
}  // namespace tenure::transport
