#include "ownership/explanation.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "properties/show.hpp"
#include "tests/ownership/generators.hpp"

namespace tenure {
namespace {

// What the explanation shows is enough to come to the answer again, by hand.
RC_GTEST_PROP(Explanation, ShowsWhatTheAnswerFollowsFrom, ()) {
  attributor who(prefix_set::everything());
  for (const auto& e : *generators::much_evidence()) who.merge(e);
  for (const auto& times : *rc::gen::container<std::vector<flow_times>>(10, generators::some_times())) {
    const auto x = explain(who, generators::here, generators::port, times);
    RC_ASSERT(x.answer == who.attribute(generators::here, generators::port, times));
    bool proved = false;
    bool two = false;
    for (const auto& c : x.all) {
      if (!c.qualifies) continue;
      two |= c.holding.workload != x.all.front().holding.workload;
      proved |= c.holding.tenancy == x.answer.tenancy && c.holding.workload == x.answer.workload;
      RC_ASSERT(c.instant.has_value());
      RC_ASSERT(c.holding.sure.from <= *c.instant && *c.instant < c.holding.sure.until);
      RC_ASSERT(x.asked->first <= *c.instant && *c.instant <= x.asked->last);
    }
    RC_ASSERT(two == (x.answer.reason == reason::conflict));
    RC_ASSERT(proved == x.answer.attributed());
    RC_ASSERT(x.all.empty() == (x.answer.reason == reason::no_evidence));
  }
}

TEST(Explanation, OfAnAddressThatIsNobodysNamesNoEvidence) {
  attributor who(prefix_set({*prefix::parse("10.0.0.0/8")}));
  const auto x = explain(who, *address::parse("192.0.2.1"), 443, {});
  EXPECT_EQ(x.answer, unattributed(reason::external));
  EXPECT_FALSE(x.asked.has_value());
  EXPECT_TRUE(x.all.empty());
}

}  // namespace
}  // namespace tenure
