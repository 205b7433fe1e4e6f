#include "ownership/rule.hpp"

#include <gtest/gtest.h>

#include "ownership/attributor.hpp"
#include "properties/show.hpp"

namespace tenure {
namespace {

const address far_end = address::v4(0x0a00'0001);
constexpr workload_id checkout{1};
constexpr workload_id catalog{2};

evidence held(std::uint64_t tenancy, workload_id workload, nanos from, nanos until, nanos error = 0,
              std::uint16_t port = 0) {
  return {{far_end, port}, {0, tenancy}, workload, from, until, error, error};
}

flow_times established(nanos opened, nanos at, nanos last_received, nanos transit = 0, nanos error = 0) {
  return {opened, at, last_received, last_received, transit, error, true};
}

flow_times life(nanos opened, nanos closed, nanos error = 0) {
  return {opened, 0, opened, closed, 0, error, false};
}

verdict judge(const std::vector<evidence>& all, const flow_times& times, std::uint16_t port = 443) {
  attributor who(prefix_set::everything());
  for (const auto& e : all) who.merge(e);
  return who.attribute(far_end, port, times);
}

verdict is(workload_id workload, std::uint64_t tenancy) {
  return {workload, {0, tenancy}, basis::tenancy, reason::none};
}

TEST(Rule, TheSureWindowIsClosedAndTheHullIsHalfOpen) {
  const std::vector<evidence> all{held(1, checkout, 100, 200)};
  EXPECT_EQ(judge(all, established(0, 50, 100)), is(checkout, 1)) << "ends at the hull's first instant";
  EXPECT_EQ(judge(all, established(0, 50, 99)), unattributed(reason::before_first));
  EXPECT_EQ(judge(all, established(0, 199, 300)), is(checkout, 1)) << "begins at its last instant";
  EXPECT_EQ(judge(all, established(0, 200, 300)), unattributed(reason::after_last));
  EXPECT_EQ(judge(all, established(0, 150, 150)), is(checkout, 1)) << "a window of one instant";
}

TEST(Rule, ErrorsAndTransitShrinkTheWindow) {
  const std::vector<evidence> all{held(1, checkout, 100, 200)};
  EXPECT_EQ(judge(all, established(0, 40, 110, 6, 4)), is(checkout, 1));
  EXPECT_EQ(judge(all, established(0, 40, 110, 7, 4)), unattributed(reason::clock)) << "less error would do";
  EXPECT_EQ(judge(all, established(0, 40, 110, 11, 0)), unattributed(reason::before_first));
}

TEST(Rule, AShortFlowNeedsItsWholeOpeningCovered) {
  const std::vector<evidence> all{held(1, checkout, 100, 200)};
  // The window is empty: established 150 + 2 is after 151 - 2.
  EXPECT_EQ(judge(all, established(102, 150, 151, 0, 2)), is(checkout, 1)) << "from the first instant";
  EXPECT_EQ(judge(all, established(101, 150, 151, 0, 2)), unattributed(reason::clock));
  EXPECT_EQ(judge(all, established(150, 197, 198, 0, 2)), is(checkout, 1)) << "199 is the last instant";
  EXPECT_EQ(judge(all, established(150, 198, 199, 0, 2)), unattributed(reason::clock));
  EXPECT_EQ(judge(all, established(99, 150, 151, 2, 0)), unattributed(reason::before_first));
  EXPECT_EQ(judge(all, established(150, 200, 201, 2, 0)), unattributed(reason::after_last));
  EXPECT_EQ(judge(all, established(time_min, 150, 151, 2, 0)), unattributed(reason::before_first))
      << "when it was opened is not known";
  EXPECT_EQ(judge(all, established(time_min, 150, 152, 2, 0)), is(checkout, 1)) << "but its window is";
}

TEST(Rule, WithoutAHandshakeTheWholeLifeIsNeeded) {
  const std::vector<evidence> all{held(1, checkout, 100, 200)};
  EXPECT_EQ(judge(all, life(100, 199)), is(checkout, 1));
  EXPECT_EQ(judge(all, life(99, 199)), unattributed(reason::before_first));
  EXPECT_EQ(judge(all, life(100, 200)), unattributed(reason::after_last));
  EXPECT_EQ(judge(all, life(101, 198, 1)), is(checkout, 1));
  EXPECT_EQ(judge(all, life(101, 199, 1)), unattributed(reason::clock));
}

TEST(Rule, PortAndAddressAreAskedTogether) {
  const auto port = held(1, checkout, 100, 200, 0, 443);
  const auto whole = held(2, checkout, 100, 200);
  const auto other = held(3, catalog, 100, 200);
  const auto flow = established(110, 120, 150);
  EXPECT_EQ(judge({port}, flow), is(checkout, 1));
  EXPECT_EQ(judge({port}, flow, 80), unattributed(reason::no_evidence));
  EXPECT_EQ(judge({whole}, flow), is(checkout, 2));
  EXPECT_EQ(judge({whole, port}, flow), is(checkout, 1)) << "the smallest of one workload";
  EXPECT_EQ(judge({whole, held(3, checkout, 100, 201, 0, 443)}, flow), is(checkout, 3))
      << "or the one that reaches furthest";
  EXPECT_EQ(judge({port, other}, flow), unattributed(reason::conflict));
  EXPECT_EQ(judge({port, other}, flow, 80), is(catalog, 3));
}

TEST(Rule, SaysWhereTheFlowLies) {
  const std::vector<evidence> all{held(1, checkout, 100, 200), held(2, catalog, 300, 400)};
  EXPECT_EQ(judge({}, established(1, 2, 3)), unattributed(reason::no_evidence));
  EXPECT_EQ(judge(all, established(1, 2, 3)), unattributed(reason::before_first));
  EXPECT_EQ(judge(all, established(500, 501, 600)), unattributed(reason::after_last));
  EXPECT_EQ(judge(all, established(210, 220, 290)), unattributed(reason::between));
  EXPECT_EQ(judge(all, established(110, 150, 350)), unattributed(reason::conflict));
  EXPECT_EQ(judge(all, life(150, 350)), unattributed(reason::between));
}

TEST(Rule, AnUnknownClockProvesNothing) {
  const std::vector<evidence> all{held(1, checkout, 100, 200)};
  EXPECT_EQ(judge(all, established(110, 120, 150, 0, unknown_error)), unattributed(reason::clock));
  EXPECT_EQ(judge(all, established(1, 2, 3, 0, unknown_error)), unattributed(reason::before_first));
  EXPECT_EQ(judge({held(1, checkout, -100, 200, unknown_error)}, established(110, 120, 150)),
            unattributed(reason::clock));
}

TEST(Rule, AnErrorLargerThanTheSpanLeavesNothingSure) {
  const std::vector<evidence> all{held(1, checkout, 100, 200, 60)};
  EXPECT_EQ(judge(all, established(110, 120, 180)), unattributed(reason::clock));
  EXPECT_EQ(judge(all, established(1, 2, 3)), unattributed(reason::before_first));
  EXPECT_EQ(judge(all, established(300, 301, 302)), unattributed(reason::after_last));
}

TEST(Rule, TheSameWorkloadAgainIsAnotherTenancy) {
  // W, X, W: what lies between the two of W is not W's.
  const std::vector<evidence> all{held(1, checkout, 0, 100), held(2, checkout, 200, 300)};
  EXPECT_EQ(judge(all, established(110, 120, 150)), unattributed(reason::between));
  EXPECT_EQ(judge(all, established(10, 20, 250)), is(checkout, 2));
}

TEST(Attributor, LetsNoEvidenceInForAddressesThatAreNobodys) {
  attributor who(prefix_set({*prefix::parse("10.0.0.0/8"), *prefix::parse("127.0.0.0/8")}));
  auto e = held(1, checkout, 0, 100);
  EXPECT_EQ(who.merge(e), attributor::merged::changed);
  EXPECT_EQ(who.merge(e), attributor::merged::unchanged);
  e.endpoint.address = *address::parse("127.0.0.1");
  EXPECT_EQ(who.merge(e), attributor::merged::refused);
  EXPECT_EQ(who.attribute(e.endpoint.address, 1, established(1, 2, 3)), unattributed(reason::local));
  e.endpoint.address = *address::parse("192.0.2.1");
  EXPECT_EQ(who.merge(e), attributor::merged::refused);
  EXPECT_EQ(who.attribute(e.endpoint.address, 1, established(1, 2, 3)), unattributed(reason::external));
}

TEST(RuleDeathTest, NegativeErrorsAreABrokenInvariant) {
  EXPECT_DEATH(judge({}, established(1, 2, 3, 0, -1)), "never negative");
  EXPECT_DEATH(judge({}, established(1, 2, 3, -1, 0)), "never negative");
  EXPECT_DEATH(judge({held(1, checkout, 0, 100, -1)}, established(1, 2, 3)), "never negative");
}

}  // namespace
}  // namespace tenure
