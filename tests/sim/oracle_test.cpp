#include <functional>
#include <iostream>

#include <gtest/gtest.h>

#include "sim/swarm.hpp"
#include "sim/world.hpp"
#include "tests/sim/expectations.hpp"
#include "tests/sim/planted_judge.hpp"

// An oracle that never complains may be blind. Here everything is broken once, and it has to see that.
namespace tenure::sim {
namespace {

constexpr std::uint64_t seeds = 100;
// The long runs of the swarm show a mistake no sooner, and cost ten times as much.
constexpr nanos most_seconds = 240;

scenario short_swarm(std::uint64_t seed) {
  auto s = swarm(seed);
  s.horizon = std::min(s.horizon, most_seconds * second);
  return s;
}

/// A violation that the truth shows, and not only the rule done once more.
const violation* shown_by_truth(const report& r) {
  for (const auto& v : r.violations)
    if (v.invariant == "I2" || (v.invariant == "I1" && v.what.find("done naively") == std::string::npos))
      return &v;
  return nullptr;
}

/// The first seed whose run contradicts the truth; 0 when none of a hundred does.
std::uint64_t caught(const plants& planted, const std::function<void(scenario&)>& change = {}) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    auto s = short_swarm(seed);
    if (change) change(s);
    const auto r = run(s, seed, planted);
    const auto* v = shown_by_truth(r);
    if (v == nullptr) continue;
    std::cout << "  caught by seed " << seed << ": " << v->invariant << ": " << v->what << "\n";
    return seed;
  }
  return 0;
}

plants judge_with(mistake which) {
  plants p;
  p.judge = [which](const prefix_set& routable) { return std::make_shared<planted_judge>(routable, which); };
  return p;
}

TEST(planted, nothing_is_no_complaint) {
  // Without a mistake the copy of the rule is the rule: what is caught below is the mistake.
  for (std::uint64_t seed = 1; seed <= 20; ++seed)
    expect_no_violation(run(short_swarm(seed), seed, judge_with(mistake::none)));
}

struct planted_mistake : ::testing::TestWithParam<mistake> {};

TEST_P(planted_mistake, is_caught_within_a_hundred_seeds) {
  EXPECT_NE(caught(judge_with(GetParam())), 0U);
}

std::string name_of(const ::testing::TestParamInfo<mistake>& info) {
  switch (info.param) {
    case mistake::non_strict_end:
      return "non_strict_end";
    case mistake::hull_by_name:
      return "hull_by_name";
    case mistake::until_error_ignored:
      return "until_error_ignored";
    case mistake::from_error_ignored:
      return "from_error_ignored";
    case mistake::window_error_ignored:
      return "window_error_ignored";
    default:
      return "other";
  }
}

INSTANTIATE_TEST_SUITE_P(rule, planted_mistake,
                         ::testing::Values(mistake::non_strict_end, mistake::hull_by_name,
                                           mistake::until_error_ignored, mistake::from_error_ignored,
                                           mistake::window_error_ignored),
                         name_of);

TEST(planted, transit_ignored_is_caught) {
  plants p;
  p.stamps.transit_is_zero = true;
  EXPECT_NE(caught(p), 0U);
}

TEST(planted, reset_taken_for_a_received_segment_is_caught) {
  plants p;
  p.stamps.reset_counts_as_received = true;
  EXPECT_NE(caught(p), 0U);
}

TEST(planted, challenge_taken_for_a_received_segment_is_caught) {
  plants p;
  p.stamps.challenge_counts_as_received = true;
  EXPECT_NE(caught(p), 0U);
}

/// Whether `text` is what some violation is about.
bool said(const report& r, std::string_view text) {
  for (const auto& v : r.violations)
    if (v.what.find(text) != std::string::npos) return true;
  return false;
}

// By sound evidence this mistake never names somebody wrong: it misses answers, and hides conflicts where
// somebody states what is not his. So it is the rule done once more, naively, that shows it.
TEST(planted, fallback_from_a_port_to_its_address_is_caught_by_the_naive_rule) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto s = short_swarm(seed);
    ASSERT_FALSE(said(run(s, seed, judge_with(mistake::none)), "done naively")) << seed;
    if (said(run(s, seed, judge_with(mistake::port_before_address)), "done naively")) return;
  }
  ADD_FAILURE() << "not caught";
}

TEST(negative_control, drift_beyond_its_bound) {
  EXPECT_NE(caught({}, [](scenario& s) { s.cluster.clock_ppm = 20'000; }), 0U);
}

TEST(negative_control, false_exclusive_claim) {
  EXPECT_NE(caught({}, [](scenario& s) { s.fleet.double_grant_share = 0.1; }), 0U);
}

TEST(negative_control, false_exclusive_claims_come_out_as_conflicts_where_both_are_known) {
  std::uint64_t conflicts = 0;
  for (std::uint64_t seed = 1; seed <= seeds && conflicts == 0; ++seed) {
    auto s = short_swarm(seed);
    s.fleet.double_grant_share = 0.5;
    auto r = run(s, seed);
    conflicts += r.answers.unattributed["conflict"];
  }
  EXPECT_GT(conflicts, 0U);
}

// A4: transit counts from the sending to the accepting, whatever lies in between.
TEST(negative_control, segments_that_a_card_hands_over_long_after_a_pause) {
  plants p;
  p.stamps.card_delay = 10 * second;
  EXPECT_NE(caught(p,
                   [](scenario& s) {
                     s.traffic.kept_share = 1;
                     s.faults.guest_pauses = 200;
                   }),
            0U);
}

TEST(negative_control, masqueraded_address_claimed) {
  EXPECT_NE(caught({}, [](scenario& s) { s.traffic.masquerade_share = 0.1; }), 0U);
}

TEST(negative_control, reused_tenancy_id) {
  plants p;
  p.one_incarnation = true;
  EXPECT_NE(caught(p), 0U);
}

}  // namespace
}  // namespace tenure::sim
