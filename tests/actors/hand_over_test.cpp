#include "actors/hand_over.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

// Which timelines move, who sends them, and how they get across in pieces.
namespace tenure::actors {
namespace {

using cluster::placement;
using cluster::ring;
using cluster::standing;

// Nodes are named "0", "1" and so on; each sees the others under the number of their name, itself as 0.
std::shared_ptr<const placement> seen_by(std::uint32_t self, const std::vector<std::uint32_t>& members,
                                         std::size_t replicas, const std::set<std::uint32_t>& fresh = {},
                                         const std::set<std::uint32_t>& away = {}) {
  std::vector<cluster::ring_member> all;
  for (const auto m : members) all.push_back({std::to_string(m)});
  auto made = std::make_shared<const ring>(ring::make(std::move(all), replicas).value());
  std::vector<placement::number> numbers;
  std::vector<standing> standings;
  for (const auto& m : made->members()) {
    const auto who = static_cast<std::uint32_t>(std::stoul(m.name));
    numbers.push_back(who == self ? 0 : who);
    standings.push_back(away.contains(who)    ? standing::away
                        : fresh.contains(who) ? standing::fresh
                                              : standing::warm);
  }
  return std::make_shared<const placement>(made, numbers, standings, std::vector<nanos>(numbers.size(), 0));
}

bool held(const placement& p, std::size_t point, placement::number who) {
  const auto holders = p.points().holders(point);
  return std::any_of(holders.begin(), holders.end(), [&](auto i) { return p.numbers()[i] == who; });
}

// Node 9 joins, or is there and 8 goes: what 9 gains it is sent once, by a node that has it.
void expect_each_sent_once(std::size_t replicas, bool joins) {
  const std::vector<std::uint32_t> before{1, 2, 3, 8, joins ? 3u : 9u};
  const std::vector<std::uint32_t> now{1, 2, 3, 9, joins ? 8u : 9u};
  const auto members = [](std::vector<std::uint32_t> all) {
    const std::set<std::uint32_t> once(all.begin(), all.end());
    return std::vector<std::uint32_t>(once.begin(), once.end());
  };
  std::vector<int> sent(ring::points);
  for (const std::uint32_t self : {1u, 2u, 3u, 8u}) {
    const auto p = seen_by(self, members(now), replicas);
    const auto old = seen_by(self, members(before), replicas);
    const auto moving = points_to_hand_over(*p, old.get(), joins ? nullptr : old.get(), 9);
    for (std::size_t i = 0; i < ring::points; ++i) {
      if (moving.empty() || !moving[i]) continue;
      ASSERT_TRUE(held(*p, i, 9) && !held(*old, i, 9));
      ASSERT_TRUE(held(*old, i, 0));
      ++sent[i];
    }
  }
  const auto p = seen_by(1, members(now), replicas);
  const auto old = seen_by(1, members(before), replicas);
  for (std::size_t i = 0; i < ring::points; ++i)
    ASSERT_EQ(sent[i], held(*p, i, 9) && !held(*old, i, 9) ? 1 : 0) << i;
}

TEST(hand_over, sends_each_point_that_moves_once_and_from_one_that_held_it) {
  for (const bool joins : {false, true})
    for (const std::size_t replicas : {2, 3}) expect_each_sent_once(replicas, joins);
}

TEST(hand_over, a_node_that_came_back_empty_is_sent_all_it_holds_again) {
  const auto p = seen_by(1, {1, 2}, 2);
  const auto moving = points_to_hand_over(*p, nullptr, nullptr, 2);
  EXPECT_EQ(std::count(moving.begin(), moving.end(), true), static_cast<std::ptrdiff_t>(ring::points));
  EXPECT_TRUE(points_to_hand_over(*p, nullptr, p.get(), 2).empty());
}

TEST(hand_over, the_last_holder_sends_though_it_is_leaving) {
  const auto old = seen_by(1, {1, 2}, 1);
  const auto now = seen_by(1, {2}, 1);
  const auto moving = points_to_hand_over(*now, old.get(), old.get(), 2);
  for (std::size_t i = 0; i < ring::points; ++i) ASSERT_EQ(moving[i], held(*old, i, 0));
}

TEST(hand_over, waits_until_the_other_node_is_warm_and_begins_anew_for_another_incarnation) {
  hand_over h;
  EXPECT_EQ(h.look(seen_by(1, {1, 2}, 2, {2}), 2, 77, 4, 0), nullptr);
  const auto p = seen_by(1, {1, 2}, 2);
  const auto first = h.look(p, 2, 77, 4, 5);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(h.look(p, 2, 77, 4, 6), nullptr) << "it is under way";
  const auto again = h.look(p, 2, 78, 4, 7);
  ASSERT_NE(again, nullptr);
  EXPECT_NE(again->number, first->number);
  EXPECT_EQ(h.abandoned(), 1U);
}

// A walk in pieces over timelines that go on changing, and the other side that merges them.
RC_GTEST_PROP(hand_over, what_arrives_in_pieces_is_what_was_sure, ()) {
  timelines here;
  const auto count = *rc::gen::inRange<std::uint64_t>(1, 12'000);
  for (std::uint64_t n = 0; n < count; ++n)
    here.merge({{address::v4(0x0a00'0000 + static_cast<std::uint32_t>(n * 37 % 9'000)), 0},
                {1 + n % 3, n + 1},
                workload_id{1},
                static_cast<nanos>(n),
                static_cast<nanos>(n + 100),
                static_cast<nanos>(n % 50),
                static_cast<nanos>(n % 70)});
  workload_table names;
  names.intern("checkout");
  hand_over h;
  const auto p = seen_by(1, {1, 2}, 2);
  const auto request = h.look(p, 2, 77, 1, 0);
  timeline_walk walk(here, request->points);
  timelines there;
  std::size_t chunks = 0;
  for (bool more = true; more; ++chunks) {
    moving_chunk chunk{request->number, 0, false, walk.next(here)};
    chunk.last = walk.over();
    RC_ASSERT(chunk.items.size() <= timeline_walk::most_evidence + 2);
    const auto lots = h.take(chunk, names);
    more = !chunk.last && lots.empty();
    for (const auto& l : lots) {
      RC_ASSERT(l.handed_over);
      for (const auto& e : l.content.evidence) {
        RC_ASSERT(e.tenancy.incarnation == l.incarnation);
        there.merge(e);
        there.merge(e);  // a repeat
      }
      more = h.settled(request->number, 0) || more;
    }
  }
  RC_ASSERT(!h.under_way());
  for (const auto a : here.addresses_where([](address) { return true; }))
    for (const auto& mine : here.holdings(a)) {
      const auto theirs = there.holdings(a);
      const auto at = std::find_if(theirs.begin(), theirs.end(),
                                   [&](const auto& t) { return t.tenancy == mine.tenancy; });
      RC_ASSERT(mine.sure.empty() == (at == theirs.end()));
      if (at != theirs.end()) RC_ASSERT(at->sure == mine.sure);
    }
}

}  // namespace
}  // namespace tenure::actors
