#include "actors/hold_queue.hpp"

#include <deque>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/batch_ledger.hpp"
#include "actors/shard_key.hpp"

namespace tenure::actors {
namespace {

constexpr nanos plenty = 100 * millisecond;  // more than a lot gathers for

flow_lot lot(std::uint64_t batch, std::uint32_t flows) {
  flow_lot out;
  out.rows = hold::packed_rows({7, batch, 0, 0});
  for (std::uint32_t i = 0; i < flows; ++i) {
    flow f;
    f.id = {7, batch, i};
    f.near_address = f.far_address = address::v4(i);
    out.rows.add(f);
  }
  return out;
}

/// Of these lots, which flows are there: batch and index.
std::vector<std::pair<std::uint64_t, std::uint32_t>> flows_in(const std::vector<due_lot_ptr>& lots) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> out;
  for (const auto& l : lots) {
    const std::byte* at = l->rows;
    for (const auto& part : l->parts) {
      hold::row_cursor rows(part.base, at);
      at += part.bytes;
      flow f;
      for (std::uint32_t n = 0; n < part.flows; ++n) {
        rows.next(f);
        out.emplace_back(f.id.batch, f.id.index);
      }
    }
  }
  return out;
}

hold_queue queue(const hold_settings& settings) {
  return {settings, hold::block_pool::make()};
}

TEST(hold_queue, releases_at_the_end_of_the_hold_and_not_before) {
  auto q = queue({.hold = 60 * second});
  q.push(lot(1, 3), 0);
  q.push(lot(2, 2), second);
  EXPECT_TRUE(q.due(60 * second - 1).empty());
  EXPECT_EQ(flows_in(q.due(60 * second)).size(), 3U);
  EXPECT_EQ(q.next_due(), 61 * second);
  EXPECT_EQ(q.flows(), 2U);
}

TEST(hold_queue, what_comes_within_a_moment_leaves_together) {
  auto q = queue({.hold = second});
  for (std::uint64_t batch = 1; batch <= 9; ++batch) q.push(lot(batch, 5), nanos(batch) * millisecond);
  EXPECT_TRUE(q.due(second + 8 * millisecond).empty()) << "the last has not waited for a second";
  const auto lots = q.due(second + 9 * millisecond);
  ASSERT_EQ(lots.size(), 1U);
  EXPECT_EQ(lots[0]->parts.size(), 9U);
  EXPECT_EQ(lots[0]->flows, 45U);
}

// Against a queue of single flows: none leaves early, none is lost or doubled, order is kept, none is late by
// more than the moment for which a lot gathers.
RC_GTEST_PROP(hold_queue, every_flow_leaves_once_in_order_and_in_time, ()) {
  auto q = queue({.hold = second});
  std::deque<std::pair<nanos, std::pair<std::uint64_t, std::uint32_t>>> expected;
  nanos now = 0;
  const auto look = [&] {
    for (const auto& gone : flows_in(q.due(now))) {
      RC_ASSERT(!expected.empty());
      RC_ASSERT(gone == expected.front().second);
      RC_ASSERT(expected.front().first + second <= now);
      expected.pop_front();
    }
    RC_ASSERT(expected.empty() || expected.front().first + second + 10 * millisecond > now);
    RC_ASSERT(q.flows() == expected.size());
  };
  for (std::uint64_t batch = 1; batch <= 25; ++batch) {
    now += *rc::gen::element(nanos{0}, millisecond, 20 * millisecond, 400 * millisecond);
    const auto flows = *rc::gen::element(0, 1, 50, 1'000, 4'500);
    q.push(lot(batch, static_cast<std::uint32_t>(flows)), now);
    for (int i = 0; i < flows; ++i) expected.push_back({now, {batch, i}});
    look();
  }
  now += 2 * second;
  look();
  RC_ASSERT(q.bytes() == 0U);
}

TEST(hold_queue, ends_the_hold_for_what_waits_and_for_what_comes) {
  auto q = queue({.hold = 60 * second, .longest = 90 * second});
  q.push(lot(1, 1), 0);
  q.end_hold();
  q.push(lot(2, 1), 5);
  const auto lots = q.due(5);
  EXPECT_EQ(flows_in(lots).size(), 2U);
  for (const auto& l : lots) EXPECT_TRUE(l->last) << "nothing may wait on";
}

TEST(hold_queue, what_lacks_evidence_waits_for_the_longest_wait_and_no_longer) {
  auto q = queue({.hold = 60 * second, .longest = 90 * second});
  q.push(lot(1, 3), 0);
  const auto first = q.due(60 * second);
  ASSERT_EQ(first.size(), 1U);
  ASSERT_FALSE(first[0]->last);
  q.push(lot(2, 1), 61 * second);
  q.push_again(*first[0], 61 * second, 10 * second);
  EXPECT_EQ(q.next_due(), 90 * second);
  const auto last = q.due(90 * second);
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(flows_in(last).size(), 3U);
  EXPECT_TRUE(last[0]->last);
  EXPECT_EQ(q.flows(), 1U);
  auto short_one = queue({.hold = 60 * second, .longest = 30 * second});
  short_one.push(lot(1, 1), 0);
  EXPECT_TRUE(short_one.due(60 * second)[0]->last) << "nothing is longer than the hold";
}

/// When one flow is asked about that nothing ever answers.
std::vector<nanos> asked(const hold_settings& settings, nanos heartbeat) {
  std::vector<nanos> at{first_wait(settings, heartbeat)};
  const nanos longest = std::max(settings.hold, settings.longest);
  while (at.back() < longest) at.push_back(next_asked(settings, 0, at.back(), heartbeat));
  return at;
}

RC_GTEST_PROP(hold_queue, early_release_asks_seldom_and_leaves_nobody_waiting, ()) {
  const nanos hold = *rc::gen::inRange<nanos>(0, 300 * second);
  const nanos heartbeat = *rc::gen::inRange<nanos>(1, 200 * second);
  const auto at = asked({.hold = hold, .when = release::early}, heartbeat);
  RC_ASSERT(at.back() == hold);
  RC_ASSERT(at.size() <= 26U);
  for (std::size_t i = 1; i < at.size(); ++i) {
    RC_ASSERT(at[i] > at[i - 1]);
    const nanos waited = at[i - 1];
    const nanos bound = waited < heartbeat + heartbeat / 4 ? heartbeat / 4 : waited / 2;
    RC_ASSERT(at[i] - waited <= std::max(bound, 50 * millisecond));
  }
}

TEST(hold_queue, early_release_asks_four_times_a_heartbeat) {
  const std::vector<nanos> expected{2'500, 5'000, 7'500, 10'000, 12'500, 18'750, 28'125, 42'187, 60'000};
  auto at = asked({.hold = minute, .when = release::early}, 10 * second);
  for (auto& t : at) t /= millisecond;
  EXPECT_EQ(at, expected);
}

// What is left of lots goes on waiting, with its arrival, whatever the others do.
RC_GTEST_PROP(hold_queue, what_is_left_of_a_lot_is_asked_about_until_its_time_is_over, ()) {
  const hold_settings settings{.hold = 20 * second, .when = release::early};
  auto q = queue(settings);
  std::map<std::pair<std::uint64_t, std::uint32_t>, nanos> arrived;
  nanos now = 0;
  std::uint64_t batch = 0;
  for (int step = 0; step < 400; ++step) {
    now += *rc::gen::element(millisecond, 30 * millisecond, 500 * millisecond);
    if (step < 60) {
      const auto flows = *rc::gen::element(0, 1, 50, 3'000);
      q.push(lot(++batch, static_cast<std::uint32_t>(flows)), now);
      for (int i = 0; i < flows; ++i) arrived[{batch, i}] = now;
    }
    for (const auto& l : q.due(now)) {
      const nanos of_lot = l->arrived;
      for (const auto& id : flows_in({l})) {
        RC_ASSERT(arrived.contains(id));
        RC_ASSERT(of_lot - arrived[id] < 10 * millisecond && of_lot >= arrived[id]);
        RC_ASSERT(!l->last || now >= of_lot + settings.hold);
        if (l->last) arrived.erase(id);
      }
      if (!l->last) q.push_again(*l, now, *rc::gen::element(second, 10 * second));
    }
    RC_ASSERT(q.flows() == arrived.size());
  }
  now += settings.hold;
  while (const auto next = q.next_due()) {
    for (const auto& l : q.due(now))
      for (const auto& id : flows_in({l})) arrived.erase(id);
    RC_ASSERT(*next <= now);
  }
  RC_ASSERT(arrived.empty());
  RC_ASSERT(q.bytes() == 0U);
}

TEST(hold_queue, memory_goes_back_when_nothing_waits) {
  const auto pool = hold::block_pool::make();
  hold_queue q{{.hold = second}, pool};
  for (int i = 0; i < 20; ++i) q.push(lot(1, 1'000), plenty * i);
  EXPECT_GE(pool->bytes_taken(), q.bytes());
  q.due(time_max);
  EXPECT_EQ(pool->bytes_taken(), 0U);
  EXPECT_EQ(q.bytes(), 0U);
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
