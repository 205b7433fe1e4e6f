#include "cluster/ring.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::cluster {
namespace {

std::vector<ring_member> named(std::size_t count, const std::string& stem = "node-") {
  std::vector<ring_member> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back({stem + std::to_string(i), 1});
  return out;
}

/// Points that each member owns, by name.
std::map<std::string, double> shares(const ring& r) {
  std::map<std::string, double> out;
  for (std::size_t p = 0; p < ring::points; ++p) out[r.members()[r.holders(p)[0]].name] += 1;
  return out;
}

std::vector<std::string> holder_names(const ring& r, std::size_t point) {
  std::vector<std::string> out;
  for (auto h : r.holders(point)) out.push_back(r.members()[h].name);
  return out;
}

/// Two to six members of various names and weights.
rc::Gen<std::vector<ring_member>> some_members() {
  return rc::gen::map(
      rc::gen::suchThat(rc::gen::container<std::set<std::string>>(
                            rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'z')))),
                        [](const auto& names) { return names.size() >= 2 && names.size() <= 6; }),
      [](const std::set<std::string>& names) {
        std::vector<ring_member> out;
        for (const auto& n : names) out.push_back({n, 1U + static_cast<std::uint32_t>(n.size()) % 3});
        return out;
      });
}

TEST(ring, sixteen_nodes_share_within_ten_per_cent_whatever_their_names) {
  for (const char* stem : {"node-", "tenure-", "10.0.0.", "a", "eu-west-1/"}) {
    const auto r = ring::make(named(16, stem));
    ASSERT_TRUE(r);
    const double fair = static_cast<double>(ring::points) / 16;
    for (const auto& [name, share] : shares(*r)) EXPECT_NEAR(share / fair, 1.0, 0.1) << name;
  }
}

TEST(ring, a_hundred_nodes_share_within_fifteen_per_cent) {
  const auto r = ring::make(named(100));
  ASSERT_TRUE(r);
  for (const auto& [name, share] : shares(*r)) EXPECT_NEAR(share * 100 / ring::points, 1.0, 0.15) << name;
}

TEST(ring, prefixes_share_as_points_do) {
  const auto r = ring::make(named(16));
  ASSERT_TRUE(r);
  std::vector<double> owned(16);
  constexpr std::uint32_t prefixes = 1U << 18;
  for (std::uint32_t i = 0; i < prefixes; ++i) owned[r->owner(address::v4(0x0a00'0000U + (i << 8)))] += 1;
  for (const auto n : owned) EXPECT_NEAR(n * 16 / prefixes, 1.0, 0.1);
}

TEST(ring, a_weight_is_a_share) {
  const auto r = ring::make({{"small", 1}, {"middle", 2}, {"large", 5}});
  ASSERT_TRUE(r);
  auto got = shares(*r);
  EXPECT_NEAR(got["small"] / ring::points, 1.0 / 8, 0.01);
  EXPECT_NEAR(got["middle"] / ring::points, 2.0 / 8, 0.01);
  EXPECT_NEAR(got["large"] / ring::points, 5.0 / 8, 0.01);
}

TEST(ring, the_load_of_one_that_died_is_spread_over_all_others) {
  const auto r = ring::make(named(16));
  ASSERT_TRUE(r);
  std::vector<double> inherits(16);
  for (std::size_t p = 0; p < ring::points; ++p)
    if (r->holders(p)[0] == 3) inherits[r->holders(p)[1]] += 1;
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 3) continue;
    EXPECT_NEAR(inherits[i] / (ring::points / 16.0 / 15), 1.0, 0.25) << i;
  }
}

TEST(ring, a_prefix_is_never_divided) {
  EXPECT_EQ(ring::point_of(address::v4(0x0a00'0000)), ring::point_of(address::v4(0x0a00'00ff)));
  EXPECT_NE(ring::point_of(address::v4(0x0a00'0000)), ring::point_of(address::v4(0x0a00'0100)));
  const auto v6 = [](std::uint64_t low) { return address::from_halves(0x2001'0db8'0000'0001ULL, low); };
  EXPECT_EQ(ring::point_of(v6(1)), ring::point_of(v6(~0ULL)));
}

TEST(ring, points_stay_where_they_are_from_release_to_release) {
  // Nodes of two releases must agree: who changes these numbers splits a cluster that is being upgraded.
  EXPECT_EQ(ring::point_of(address::v4(0x0a01'0203)), 61'771);
  EXPECT_EQ(ring::point_of(*address::parse("2001:db8::1")), 26'181);
  const auto r = ring::make(named(5));
  ASSERT_TRUE(r);
  EXPECT_EQ(holder_names(*r, 0), (std::vector<std::string>{"node-1", "node-4"}));
  EXPECT_EQ(holder_names(*r, 65'535), (std::vector<std::string>{"node-1", "node-0"}));
}

RC_GTEST_PROP(ring, the_order_of_the_members_is_nothing_to_it, ()) {
  const auto members = *some_members();
  auto other = members;
  std::reverse(other.begin(), other.end());
  const auto one = ring::make(members);
  const auto two = ring::make(other);
  RC_ASSERT(one && two);
  for (std::size_t p = 0; p < ring::points; p += 97)
    RC_ASSERT(holder_names(*one, p) == holder_names(*two, p));
}

RC_GTEST_PROP(ring, one_that_leaves_hands_on_what_it_held_and_nothing_else_moves, ()) {
  const auto members = *some_members();
  const auto leaver = members[*rc::gen::inRange<std::size_t>(0, members.size())].name;
  auto rest = members;
  std::erase_if(rest, [&](const ring_member& m) { return m.name == leaver; });
  const auto replicas = *rc::gen::inRange<std::size_t>(1, 4);
  const auto before = ring::make(members, replicas);
  const auto after = ring::make(rest, replicas);
  RC_ASSERT(before && after);
  // Read backwards it is the join.
  for (std::size_t p = 0; p < ring::points; p += 13) {
    auto was = holder_names(*before, p);
    const auto is = holder_names(*after, p);
    const auto gone = std::find(was.begin(), was.end(), leaver);
    if (gone == was.end()) {
      RC_ASSERT(was == is);
      continue;
    }
    was.erase(gone);
    RC_ASSERT(is.size() >= was.size());
    RC_ASSERT(std::equal(was.begin(), was.end(), is.begin()));
  }
}

RC_GTEST_PROP(ring, a_weight_that_grows_takes_from_others_and_moves_nothing_between_them, ()) {
  auto members = *some_members();
  const auto before = ring::make(members, 1);
  auto& grown = members[*rc::gen::inRange<std::size_t>(0, members.size())];
  grown.weight += 2;
  const auto after = ring::make(members, 1);
  RC_ASSERT(before && after);
  for (std::size_t p = 0; p < ring::points; p += 13) {
    const auto is = holder_names(*after, p);
    RC_ASSERT(is == holder_names(*before, p) || is[0] == grown.name);
  }
}

RC_GTEST_PROP(ring, holders_are_different_nodes_and_as_many_as_asked_or_there_are, ()) {
  const auto members = *some_members();
  const auto replicas = *rc::gen::inRange<std::size_t>(1, 12);
  const auto r = ring::make(members, replicas);
  RC_ASSERT(r.has_value());
  for (std::size_t p = 0; p < ring::points; p += 31) {
    const auto names = holder_names(*r, p);
    RC_ASSERT(names.size() == std::min(replicas, members.size()));
    RC_ASSERT(std::set<std::string>(names.begin(), names.end()).size() == names.size());
  }
}

TEST(ring, what_is_no_cluster_is_refused) {
  const std::vector<std::vector<ring_member>> bad = {{},
                                                     {{"", 1}},
                                                     {{"a", 1}, {"a", 2}},
                                                     {{"a", 0}},
                                                     {{"a", ring::max_weight + 1}},
                                                     named(ring::max_members + 1)};
  for (const auto& members : bad) {
    const auto r = ring::make(members);
    ASSERT_FALSE(r);
    EXPECT_EQ(r.error().trouble, trouble::usage);
  }
  EXPECT_FALSE(ring::make(named(2), 0));
}

}  // namespace
}  // namespace tenure::cluster
