#include <algorithm>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "demo/churn_plan.hpp"
#include "demo/pool.hpp"

namespace tenure::demo {
namespace {

TEST(Pool, KnowsItsOwnAddressesAndNoOthers) {
  const pool p(7, 20);
  for (slot_index s = 0; s < p.size(); ++s) {
    EXPECT_EQ(p.slot_of(p.v4(s)), s);
    EXPECT_EQ(p.slot_of(p.v6(s)), s);
    EXPECT_TRUE(p.v4_network().contains(p.v4(s)));
    EXPECT_TRUE(p.v6_network().contains(p.v6(s)));
  }
  const pool other(8, 21);
  EXPECT_EQ(p.slot_of(other.v4(3)), std::nullopt);
  EXPECT_EQ(p.slot_of(other.v6(3)), std::nullopt);
  EXPECT_EQ(p.slot_of(pool(7, 21).v4(20)), std::nullopt) << "one past the last";
  EXPECT_EQ(p.slot_of(address::v4(0x7f000001)), std::nullopt);
  EXPECT_EQ(p.slot_of(address{}), std::nullopt);
  EXPECT_NE(p.mac(1), p.mac(2));
}

/// Makes the plan's hand-overs on an imagined fleet, one every half second.
std::vector<handover> play(std::uint64_t seed, std::size_t count) {
  churn_plan plan(seed, {});
  std::vector<slot_state> slots(12);
  for (auto& s : slots) s = {false, plan.any_workload(), 0};
  std::vector<handover> made;
  nanos now = 0;
  while (made.size() < count) {
    now += 500 * millisecond;
    const auto h = plan.next(slots, now);
    if (!h) continue;
    RC_ASSERT(!slots[h->slot].vacant);
    RC_ASSERT(h->next_is == succession::back_again || now - slots[h->slot].since >= second);
    RC_ASSERT((h->next_is == succession::same) == (h->next == slots[h->slot].workload));
    slots[h->slot] = {false, h->next, now + h->vacant};
    made.push_back(*h);
  }
  return made;
}

bool equal(const handover& a, const handover& b) {
  return a.slot == b.slot && a.how == b.how && a.next_is == b.next_is && a.next == b.next &&
         a.vacant == b.vacant;
}

RC_GTEST_PROP(ChurnPlan, IsOneForASeedAndKeepsItsRules, (std::uint64_t seed)) {
  const auto once = play(seed, 60);
  const auto twice = play(seed, 60);
  RC_ASSERT(std::equal(once.begin(), once.end(), twice.begin(), twice.end(), equal));
}

RC_GTEST_PROP(ChurnPlan, BringsBackWhoWasThereFirst, (std::uint64_t seed)) {
  std::map<slot_index, workload_index> owner;
  std::map<slot_index, workload_index> awaited;
  std::size_t returned = 0;
  for (const auto& h : play(seed, 200)) {
    if (h.next_is == succession::back_again) {
      RC_ASSERT(awaited.contains(h.slot));
      if (awaited[h.slot] != pool::max_slots) RC_ASSERT(h.next == awaited[h.slot]);
      awaited.erase(h.slot);
      ++returned;
    } else {
      RC_ASSERT(!awaited.contains(h.slot));
    }
    if (h.next_is == succession::there_first) {
      RC_ASSERT(h.vacant == 0);
      awaited[h.slot] =
          owner.contains(h.slot) ? owner[h.slot] : pool::max_slots;  // who began, the test did not see
    }
    owner[h.slot] = h.next;
  }
  RC_ASSERT(returned > 5U);
}

TEST(ChurnPlan, HasEveryKindOfDeathAndSuccession) {
  std::map<death, int> deaths;
  std::map<succession, int> successions;
  int vacancies = 0;
  for (const auto& h : play(1, 400)) {
    ++deaths[h.how];
    ++successions[h.next_is];
    if (h.vacant == 0) continue;
    ++vacancies;
    EXPECT_GT(h.vacant, second) << "a SYN would not have to be tried again";
  }
  EXPECT_EQ(deaths.size(), 3U);
  EXPECT_EQ(successions.size(), 4U);
  EXPECT_GT(vacancies, 5);
}

RC_GTEST_PROP(ChurnPlan, BeginsWithTheNastyOnes, (std::uint64_t seed)) {
  const auto made = play(seed, 3);
  RC_ASSERT(made[0].how == death::vanish && made[0].vacant == 0 && made[0].next_is == succession::other);
  RC_ASSERT(made[1].vacant > second);
  RC_ASSERT(made[2].next_is == succession::there_first);
}

TEST(ChurnPlan, LeavesTheYoungAlone) {
  churn_plan plan(1, {});
  EXPECT_FALSE(plan.next({{false, 0, 900 * millisecond}, {true, 0, 0}}, second));
  EXPECT_TRUE(plan.next({{false, 0, 0}}, second));
}

}  // namespace
}  // namespace tenure::demo
