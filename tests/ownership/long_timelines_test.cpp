#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ownership/reach_index.hpp"
#include "ownership/timelines.hpp"
#include "properties/history.hpp"

// Addresses with many tenancies: the answers, and how much is looked at for one.
namespace tenure {
namespace {

evidence held(std::uint64_t tenancy, nanos from, nanos until) {
  return {{address::v4(1), 0},
          {1, tenancy},
          workload_id{static_cast<std::uint32_t>(tenancy % 7 + 1)},
          from,
          until,
          0,
          0};
}

flow_times window(nanos first, nanos last) {
  return {first, first, last, last, 0, 0, true};
}

// Of both indexes of a port and those of the whole address, and of no more runs than log n, each searched
// once.
std::size_t most_looks(std::uint64_t tenancies) {
  const std::size_t digits = std::bit_width(tenancies) + 1;
  return 4 * digits * digits;
}

RC_GTEST_PROP(ReachIndex, SaysWhatLookingAtEachSays, ()) {
  history::dice d(*rc::gen::arbitrary<std::uint64_t>());
  struct hull {
    nanos from, until;
    tenancy_id tenancy;
    workload_id workload;
  };
  std::vector<hull> hulls;
  reach_index<leading> index;
  for (std::uint64_t i = 0, n = static_cast<std::uint64_t>(d.below(60)); i < n; ++i) {
    const nanos from = d.below(20);
    const auto whose = static_cast<std::uint64_t>(d.below(30));
    // One tenancy is of one workload, and may come again with another hull.
    hulls.push_back(
        {from, from + 1 + d.below(8), {1, whose}, workload_id{static_cast<std::uint32_t>(whose % 3 + 1)}});
    index.add(from, {hulls.back().until, hulls.back().tenancy, hulls.back().workload});
  }
  RC_ASSERT(index.empty() == hulls.empty());
  for (nanos x = -1; x < 22; ++x) {
    leading expected;
    for (const hull& h : hulls)
      if (h.from <= x) expected.add(h.until, h.tenancy, h.workload);
    std::size_t looked = 0;
    const leading found = index.begun_by(x, looked);
    RC_ASSERT(found.until == expected.until);
    RC_ASSERT(found.other_until == expected.other_until);
    // Where two workloads reach equally far, either may be the first.
    if (expected.until > expected.other_until) {
      RC_ASSERT(found.workload == expected.workload);
      RC_ASSERT(found.tenancy == expected.tenancy);
    }
  }
}

TEST(LongTimelines, AMillionTenanciesOnOneAddressAreNoTrouble) {
  constexpr std::uint64_t many = 1'000'000;
  timelines known;
  for (std::uint64_t n = 0; n < many; ++n)
    known.merge(held(n, static_cast<nanos>(10 * n), static_cast<nanos>(10 * n + 10)));
  EXPECT_EQ(known.tenancies(), many);
  EXPECT_LE(known.bytes() - known.index_bytes(), 64 * many);
  EXPECT_LE(known.index_bytes(), 72 * many);
  for (std::uint64_t n = 0; n < 100'000; ++n) {
    const auto t = static_cast<nanos>(n * 7'919 % many * 10);
    ASSERT_EQ(known.resolve(address::v4(1), 443, window(t + 1, t + 5)).tenancy,
              (tenancy_id{1, n * 7'919 % many}));
    ASSERT_LE(known.looks(address::v4(1), 443, window(t + 1, t + 5)), most_looks(many));
  }
}

// In the worst of orders too, and each extended later.
TEST(LongTimelines, ManyTenanciesOnOneAddressMayComeInAnyOrder) {
  constexpr std::uint64_t many = 100'000;
  for (const std::uint64_t stride : {many - 1, std::uint64_t{61'803}}) {
    timelines known;
    for (std::uint64_t n = 0; n < many; ++n) {
      const std::uint64_t id = n * stride % many;
      ASSERT_EQ(known.merge(held(id, static_cast<nanos>(10 * id), static_cast<nanos>(10 * id + 5))),
                merged::changed);
    }
    for (std::uint64_t id = 0; id < many; ++id)
      ASSERT_EQ(known.merge(held(id, static_cast<nanos>(10 * id), static_cast<nanos>(10 * id + 10))),
                merged::changed);
    EXPECT_EQ(known.tenancies(), many);
    EXPECT_LE(known.bytes() - known.index_bytes(), 66 * many);
    for (std::uint64_t n = 0; n < 10'000; ++n) {
      const auto t = static_cast<nanos>(n * 7'919 % many * 10);
      ASSERT_EQ(known.resolve(address::v4(1), 443, window(t + 6, t + 7)).tenancy,
                (tenancy_id{1, n * 7'919 % many}));
    }
  }
}

// All of them qualify for the flow, and all name one workload; and between any two questions there is news.
TEST(LongTimelines, ManyThatOverlapAreNotLookedAtOneByOne) {
  constexpr std::uint64_t many = 200'000;
  timelines known;
  const auto overlapping = [](std::uint64_t n) {
    auto e = held(n + 1, static_cast<nanos>(n), static_cast<nanos>(2 * many + n));
    e.workload = workload_id{1};
    return e;
  };
  for (std::uint64_t n = 0; n < many; ++n) known.merge(overlapping(n));
  for (std::uint64_t i = 0; i < 1'000; ++i) {
    auto heartbeat = overlapping(i * 97);
    heartbeat.until += static_cast<nanos>(many);
    ASSERT_EQ(known.merge(heartbeat), merged::changed);
    const auto asked = window(many + 1, many + 2);
    ASSERT_EQ(known.resolve(address::v4(1), 443, asked).tenancy, (tenancy_id{1, i * 97 + 1}))
        << "the one that reaches furthest";
    ASSERT_LE(known.looks(address::v4(1), 443, asked), most_looks(many + i));
  }
  auto stranger = held(many + 1, many, many + 5);
  stranger.workload = workload_id{2};
  known.merge(stranger);
  EXPECT_EQ(known.resolve(address::v4(1), 443, window(many + 1, many + 2)), unattributed(reason::conflict));
  EXPECT_TRUE(known.resolve(address::v4(1), 443, window(many + 6, many + 7)).attributed());
}

// Every second one is over, so neither those that began nor those that last are few.
TEST(LongTimelines, OnesThatEndEarlyBetweenThoseThatLastCostNoMore) {
  constexpr std::uint64_t many = 200'000;
  timelines known;
  for (std::uint64_t n = 0; n < many; ++n) {
    const auto from = static_cast<nanos>(n);
    known.merge(held(n, from, n % 2 == 0 ? from + 1 : static_cast<nanos>(2 * many)));
  }
  for (const auto& [asked, why] : {std::pair(window(many, many + 1), reason::conflict),
                                   std::pair(window(2 * many, 2 * many + 1), reason::after_last),
                                   std::pair(window(-2, -1), reason::before_first)}) {
    EXPECT_EQ(known.resolve(address::v4(1), 443, asked), unattributed(why));
    EXPECT_LE(known.looks(address::v4(1), 443, asked), most_looks(many));
  }
}

TEST(LongTimelines, EachOfManyPortsIsLookedAtAlone) {
  timelines known;
  for (std::uint32_t port = 1; port <= 65'535; ++port) {
    auto e = held(port, 0, 100);
    e.endpoint.port = static_cast<std::uint16_t>(port);
    known.merge(e);
  }
  EXPECT_EQ(known.resolve(address::v4(1), 443, window(10, 20)).tenancy, (tenancy_id{1, 443}));
  EXPECT_LE(known.looks(address::v4(1), 443, window(10, 20)), 8U);
  EXPECT_EQ(known.resolve(address::v4(1), 0, window(10, 20)), unattributed(reason::no_evidence));
}

TEST(LongTimelines, AShortOneIsLookedAtAFewTimes) {
  timelines known;
  for (std::uint64_t n = 0; n < 127; ++n) known.merge(held(n, 0, 100));
  EXPECT_EQ(known.index_bytes(), 0U);
  EXPECT_LE(known.looks(address::v4(1), 443, window(10, 20)), 4 * 127U);
  known.merge(held(127, 0, 100));
  EXPECT_GT(known.index_bytes(), 0U);
  EXPECT_LE(known.looks(address::v4(1), 443, window(10, 20)), most_looks(128));
}

TEST(LongTimelines, ForgettingLeavesAnIndexOfWhatIsLeft) {
  timelines known;
  for (std::uint64_t n = 0; n < 1'000; ++n)
    known.merge(held(n, static_cast<nanos>(10 * n), static_cast<nanos>(10 * n + 10)));
  EXPECT_EQ(known.forget_before(5'000), 499U);
  EXPECT_EQ(known.resolve(address::v4(1), 443, window(4'981, 4'982)), unattributed(reason::before_first));
  EXPECT_EQ(known.resolve(address::v4(1), 443, window(5'001, 5'002)).tenancy, (tenancy_id{1, 500}));
  EXPECT_GT(known.index_bytes(), 0U);
  known.forget_before(9'500);
  EXPECT_EQ(known.index_bytes(), 0U) << "few are left";
  EXPECT_EQ(known.resolve(address::v4(1), 443, window(9'991, 9'992)).tenancy, (tenancy_id{1, 999}));
}

}  // namespace
}  // namespace tenure
