#include "properties/history.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::history {
namespace {

// A hundred to each of RapidCheck's cases: ten thousand in all as it comes.
constexpr int histories_a_case = 100;

RC_GTEST_PROP(Histories, NoAnswerIsEverWrong, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  for (int i = 0; i < histories_a_case; ++i) {
    const auto h = make(seed + static_cast<std::uint64_t>(i) * 0x1234'5678'9abcULL);
    if (!check(h).good()) RC_FAIL(h.story());
  }
}

findings of_many(broken assumption) {
  findings all;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) all += check(make(seed, assumption));
  return all;
}

TEST(Histories, AreNotEmptyOfWhatTheyTest) {
  const auto found = of_many(broken::nothing);
  EXPECT_TRUE(found.good());
  EXPECT_GT(found.attributed, found.flows / 8) << found.attributed << " of " << found.flows;
  EXPECT_LT(found.attributed, found.flows);
}

const char* name_of(broken assumption) {
  switch (assumption) {
    case broken::nothing:
      return "nothing";
    case broken::evidence_clock:
      return "evidence_clock";
    case broken::flow_clock:
      return "flow_clock";
    case broken::two_owners:
      return "two_owners";
    case broken::false_exclusive:
      return "false_exclusive";
    case broken::early_claim:
      return "early_claim";
    case broken::transit_ignored:
      return "transit_ignored";
    case broken::foreign_segment:
      return "foreign_segment";
    case broken::joined_by_name:
      return "joined_by_name";
    case broken::reused_id:
      return "reused_id";
  }
  return "";
}

// Each assumption of docs/proof.md, broken on purpose: the checker must notice, or it is blind.
class NegativeControl : public testing::TestWithParam<broken> {};

TEST_P(NegativeControl, IsNoticed) {
  const auto found = of_many(GetParam());
  RecordProperty("wrong", static_cast<int>(found.wrong_workload));
  EXPECT_GT(found.wrong_workload, 10U) << "attributed " << found.attributed << " of " << found.flows;
}

INSTANTIATE_TEST_SUITE_P(Broken, NegativeControl,
                         testing::Values(broken::evidence_clock, broken::flow_clock, broken::two_owners,
                                         broken::false_exclusive, broken::early_claim,
                                         broken::transit_ignored, broken::foreign_segment,
                                         broken::joined_by_name, broken::reused_id),
                         [](const auto& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace tenure::history
