#include "actors/allow_rules.hpp"

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/agent_share.hpp"
#include "actors/hash_of_name.hpp"

namespace tenure::actors {
namespace {

allow_rule rule(const char* agent, std::vector<const char*> addresses, std::vector<std::string> workloads) {
  std::vector<prefix> prefixes;
  for (const char* a : addresses) prefixes.push_back(*prefix::parse(a));
  return {*transport::spiffe_pattern::parse(agent), prefix_set{prefixes}, std::move(workloads)};
}

address at(const char* text) {
  return *address::parse(text);
}

TEST(allow_rules, without_rules_everything_may_be_claimed_and_with_them_only_what_they_say) {
  EXPECT_TRUE(permit{}.everything());
  EXPECT_TRUE((permit{std::make_shared<const allow_rules>(), "spiffe://p/a"}.everything()));
  const auto rules = std::make_shared<const allow_rules>(
      allow_rules{rule("spiffe://p/agent/*", {"10.0.0.0/16"}, {"checkout", "cart-*"}),
                  rule("spiffe://p/agent/edge", {"192.0.2.0/24", "2001:db8::/32"}, {"*"})});
  struct {
    const char* identity;
    const char* workload;
    const char* where;
    bool may;
  } const cases[] = {
      {"spiffe://p/agent/one", "checkout", "10.0.0.7", true},
      {"spiffe://p/agent/one", "cart-blue", "10.0.255.255", true},
      {"spiffe://p/agent/one", "cart-", "10.0.0.7", true},
      {"spiffe://p/agent/one", "cart", "10.0.0.7", false},
      {"spiffe://p/agent/one", "checkout2", "10.0.0.7", false},
      {"spiffe://p/agent/one", "checkout", "10.1.0.0", false},
      {"spiffe://p/agent/one", "checkout", "192.0.2.1", false},
      {"spiffe://p/agent/edge", "anything", "192.0.2.1", true},
      {"spiffe://p/agent/edge", "anything", "2001:db8::1", true},
      {"spiffe://p/agent/edge", "anything", "10.0.0.7", false},
      {"spiffe://p/agent/edge", "checkout", "10.0.0.7", true},
      {"spiffe://q/agent/one", "checkout", "10.0.0.7", false},
      {"", "checkout", "10.0.0.7", false},
  };
  for (const auto& c : cases) {
    const permit p{rules, c.identity};
    ASSERT_FALSE(p.everything());
    EXPECT_EQ(contains(p.reach_of(c.workload), at(c.where)), c.may)
        << c.identity << ' ' << c.workload << ' ' << c.where;
  }
}

constexpr endpoint somewhere{address::v4(0x0a00'0001), 0};
constexpr workload_id somebody{1};

RC_GTEST_PROP(agent_share, admits_what_it_knows_and_as_many_as_its_bound, ()) {
  share_bounds bounds;
  bounds.tenancies = *rc::gen::inRange<std::size_t>(1, 30);
  agent_share share(bounds);
  std::set<std::uint64_t> known;
  const auto asked = *rc::gen::container<std::vector<std::uint64_t>>(
      rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 50), rc::gen::just(~std::uint64_t{0}),
                     rc::gen::just(~std::uint64_t{0} - 1)));
  for (const auto sequence : asked) {
    const bool expected = known.contains(sequence) || known.size() < bounds.tenancies;
    RC_ASSERT((share.admits_tenancy(sequence, somewhere, somebody, second) == admitted::yes) == expected);
    if (expected) known.insert(sequence);
    RC_ASSERT(share.ranges() <= known.size());
  }
}

TEST(agent_share, honest_agents_take_a_range_and_begin_anew_after_the_span) {
  share_bounds bounds;
  bounds.tenancies = 1'000;
  bounds.span = minute;
  agent_share share(bounds);
  for (std::uint64_t s = 1; s <= 1'000; ++s)
    ASSERT_EQ(share.admits_tenancy(s, somewhere, somebody, second), admitted::yes);
  EXPECT_EQ(share.ranges(), 1U);
  EXPECT_EQ(share.admits_tenancy(1'001, somewhere, somebody, second), admitted::over_bound);
  EXPECT_EQ(share.admits_tenancy(1'001, somewhere, somebody, 2 * minute), admitted::yes);
}

// An agent may come again and again as somebody else, and each is remembered.
TEST(agent_share, all_agents_share_room_and_there_is_some_left_for_the_next_one) {
  share_bounds bounds;
  bounds.room = std::make_shared<shared_budget>(std::size_t{1} << 20);
  {
    std::deque<agent_share> made_up;
    for (int agent = 0; agent < 200; ++agent) {
      auto& share = made_up.emplace_back(bounds);
      for (std::uint64_t s = 2; s <= 20'000; s += 2) share.admits_tenancy(s, somewhere, somebody, second);
      ASSERT_LE(bounds.room->used(), (1 << 20) + agent * agent_share::always);
    }
    EXPECT_GT(made_up.front().ranges(), 4'000U) << "one alone may have half";
    agent_share honest(bounds);
    for (std::uint64_t s = 1; s <= 20; ++s)
      EXPECT_EQ(honest.admits_tenancy(s, somewhere, somebody, second), admitted::yes);
    EXPECT_EQ(made_up.front().admits_tenancy(2, somewhere, somebody, second), admitted::yes) << "it is known";
  }
  EXPECT_EQ(bounds.room->used(), 0);
}

TEST(agent_share, where_a_name_lies_follows_from_the_key) {
  const keyed_name_hash one{hash_of_name, 1};
  EXPECT_EQ(one("checkout"), one("checkout"));
  EXPECT_NE(one("checkout"), one("catalog"));
  EXPECT_NE(one("checkout"), (keyed_name_hash{hash_of_name, 2}("checkout")));
}

TEST(agent_share, room_is_given_back_when_all_begins_anew) {
  share_bounds bounds;
  bounds.span = minute;
  agent_share share(bounds);
  for (std::uint64_t s = 1; s <= 1'000; ++s) share.admits_tenancy(s, somewhere, somebody, second);
  const auto before = bounds.room->used();
  share.admits_tenancy(1, somewhere, somebody, 2 * minute);
  EXPECT_LT(bounds.room->used(), before / 50);
}

// Found by the sessions' fuzzer: one tenancy at ever new places takes as much room as ever new tenancies.
// And again: where nobody drew a secret, all of an IPv4 address's workloads and ports were one place.
RC_GTEST_PROP(agent_share, a_tenancy_has_one_place, (std::uint64_t drawn, bool none)) {
  share_bounds bounds;
  bounds.secret = none ? 0 : drawn;
  agent_share share(bounds);
  const auto place =
      rc::gen::tuple(rc::gen::inRange<std::uint32_t>(0, 3), rc::gen::inRange<std::uint16_t>(0, 3),
                     rc::gen::inRange<std::uint32_t>(1, 3));
  std::map<std::uint64_t, std::tuple<std::uint32_t, std::uint16_t, std::uint32_t>> known;
  for (int i = 0; i < 100; ++i) {
    const auto sequence = *rc::gen::inRange<std::uint64_t>(1, 20);
    const auto [host, port, whose] = *place;
    const bool its_own =
        known.try_emplace(sequence, host, port, whose).first->second == std::tuple{host, port, whose};
    const auto answer =
        share.admits_tenancy(sequence, {address::v4(0x0a00'0000 + host), port}, workload_id{whose}, second);
    RC_ASSERT(answer == (its_own ? admitted::yes : admitted::elsewhere));
  }
}

}  // namespace
}  // namespace tenure::actors
