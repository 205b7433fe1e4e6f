#include "cluster/placement.hpp"

#include <algorithm>
#include <memory>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::cluster {
namespace {

std::shared_ptr<const ring> ring_of(std::size_t nodes, std::size_t replicas) {
  std::vector<ring_member> members;
  for (std::size_t i = 0; i < nodes; ++i) members.push_back({"n" + std::to_string(i)});
  auto made = ring::make(std::move(members), replicas);
  return std::make_shared<const ring>(std::move(made.value()));
}

RC_GTEST_PROP(placement, the_owner_is_the_first_warm_holder_or_the_one_that_is_there_for_longest, ()) {
  const auto nodes = *rc::gen::inRange<std::size_t>(1, 7);
  const auto points = ring_of(nodes, *rc::gen::inRange<std::size_t>(1, 4));
  std::vector<placement::number> numbers;
  std::vector<standing> standings;
  std::vector<nanos> since;
  for (std::size_t i = 0; i < nodes; ++i) {
    numbers.push_back(static_cast<placement::number>((i + 1) % nodes));  // the last one is us
    standings.push_back(*rc::gen::element(standing::away, standing::fresh, standing::warm));
    since.push_back(*rc::gen::inRange<nanos>(0, 4));
  }
  const placement p(points, numbers, standings, since);
  RC_ASSERT(p.end() == std::max<std::size_t>(nodes, 1U));
  const auto a = address::v4(*rc::gen::arbitrary<std::uint32_t>());
  std::vector<placement::number> holders;
  p.each_holder(a, [&](auto n) { holders.push_back(n); });
  RC_ASSERT(holders.size() == points->replicas());
  // What is better is greater; only of fresh ones does it matter since when they are there.
  const auto of = [&](placement::number n) {
    const auto i = (n + nodes - 1) % nodes;
    return std::pair{standings[i], standings[i] == standing::fresh ? -since[i] : 0};
  };
  const auto owner = p.owner(a);
  const auto at = std::find(holders.begin(), holders.end(), owner);
  RC_ASSERT(at != holders.end());
  for (const auto n : holders) RC_ASSERT(of(n) <= of(owner));
  for (auto i = holders.begin(); i != at; ++i) RC_ASSERT(of(*i) < of(owner));
}

TEST(placement, with_nobody_there_the_first_holder_may_come_back) {
  const auto points = ring_of(3, 2);
  const placement p(points, {0, 1, 2}, {standing::away, standing::away, standing::away}, {3, 2, 1});
  const auto a = address::v4(0x0a00'0001);
  EXPECT_EQ(p.owner(a), points->owner(a));
}

}  // namespace
}  // namespace tenure::cluster
