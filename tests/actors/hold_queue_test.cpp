#include "actors/hold_queue.hpp"

#include <gtest/gtest.h>

#include "actors/batch_ledger.hpp"
#include "actors/shard_key.hpp"

namespace tenure::actors {
namespace {

flow_lot_ptr lot() {
  return std::make_shared<flow_lot>();
}

TEST(hold_queue, releases_at_the_end_of_the_hold_and_not_before) {
  hold_queue q{60 * second};
  q.push(lot(), 0);
  q.push(lot(), second);
  EXPECT_TRUE(q.due(60 * second - 1).empty());
  EXPECT_EQ(q.due(60 * second).size(), 1U);
  EXPECT_EQ(q.next_due(), 61 * second);
}

TEST(hold_queue, ends_the_hold_for_what_waits_and_for_what_comes) {
  hold_queue q{60 * second};
  q.push(lot(), 0);
  q.end_hold();
  q.push(lot(), 5);
  EXPECT_EQ(q.due(5).size(), 2U);
}

TEST(batch_ledger, is_complete_with_the_last_flow) {
  batch_ledger ledger;
  EXPECT_TRUE(ledger.open(1, 0));
  EXPECT_FALSE(ledger.open(2, 3));
  EXPECT_FALSE(ledger.durable(2, 2));
  EXPECT_TRUE(ledger.durable(2, 1));
  EXPECT_EQ(ledger.open_batches(), 0U);
}

TEST(batch_ledger, more_durable_than_there_are_is_a_broken_invariant) {
  batch_ledger ledger;
  ledger.open(1, 1);
  EXPECT_DEATH(ledger.durable(1, 2), "more flows durable");
}

TEST(shard_key, addresses_of_one_prefix_stay_together) {
  const auto a = *address::parse("10.1.2.3");
  EXPECT_EQ(shard_of(a, 7), shard_of(*address::parse("10.1.2.250"), 7));
  const auto b = *address::parse("2001:db8::1");
  EXPECT_EQ(shard_of(b, 7), shard_of(*address::parse("2001:db8::ffff:1"), 7));
}

TEST(shard_key, prefixes_spread) {
  std::array<int, 8> count{};
  for (std::uint32_t i = 0; i < 8000; ++i) ++count[shard_of(address::v4(0x0a000000U + (i << 8)), 8)];
  for (const int c : count) EXPECT_NEAR(c, 1000, 300);
}

}  // namespace
}  // namespace tenure::actors
