#include "actors/batch_ledger.hpp"

#include <array>
#include <map>
#include <memory>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::actors {
namespace {

using standing = batch_ledger::standing;

RC_GTEST_PROP(batch_ledger_properties, knows_of_each_batch_what_a_plain_list_knows, ()) {
  const auto room = std::make_shared<shared_budget>(1'000);
  batch_ledger ledger(room);
  std::map<std::uint64_t, std::size_t> left;
  std::set<std::uint64_t> durable;
  const auto steps = *rc::gen::inRange(0, 200);
  for (int i = 0; i < steps; ++i) {
    const auto batch = *rc::gen::inRange<std::uint64_t>(1, 30);
    const auto flows = *rc::gen::inRange<std::size_t>(0, 4);
    if (left.contains(batch)) {
      const auto part = std::min(flows, left[batch]);
      const bool complete = left[batch] == part;
      RC_ASSERT(ledger.durable(batch, part) == complete);
      left[batch] -= part;
      if (complete) left.erase(batch), durable.insert(batch);
    } else if (!durable.contains(batch)) {
      RC_ASSERT(ledger.open(batch, flows) == (flows == 0));
      flows == 0 ? static_cast<void>(durable.insert(batch)) : static_cast<void>(left[batch] = flows);
    }
    std::size_t open = 0;
    for (const auto& [b, n] : left) open += n;
    RC_ASSERT(ledger.open_flows() == open && ledger.open_batches() == left.size());
    for (std::uint64_t b = 0; b < 32; ++b)
      RC_ASSERT(ledger.of(b) == (left.contains(b)      ? standing::pending
                                 : durable.contains(b) ? standing::durable
                                                       : standing::unknown));
    std::int64_t runs = 0;
    for (const auto b : durable) runs += durable.contains(b - 1) ? 0 : 1;
    RC_ASSERT(room->used() == runs * batch_ledger::run_bytes);
    RC_ASSERT(ledger.take_forgotten() == 0U);
  }
}

/// First numbers of runs.
std::set<std::uint64_t> runs_of(const std::set<std::uint64_t>& batches) {
  std::set<std::uint64_t> out;
  for (const auto b : batches)
    if (!batches.contains(b - 1)) out.insert(b);
  return out;
}

// Two agents that leave gaps share room for four runs; each may have two always, and six at most.
RC_GTEST_PROP(batch_ledger_properties, who_grows_beyond_the_room_forgets_its_lowest_run, ()) {
  constexpr std::int64_t room_for = 4;
  constexpr batch_ledger::limits limits{.runs = 6, .always = 2};
  const auto room = std::make_shared<shared_budget>(room_for * batch_ledger::run_bytes);
  std::array<batch_ledger, 2> ledgers{batch_ledger(room, limits), batch_ledger(room, limits)};
  std::array<std::set<std::uint64_t>, 2> known;
  const auto steps = *rc::gen::inRange(0, 100);
  for (int i = 0; i < steps; ++i) {
    const auto who = *rc::gen::inRange<std::size_t>(0, 2);
    const auto batch = *rc::gen::inRange<std::uint64_t>(1, 30);
    if (known[who].contains(batch)) continue;
    const auto before = runs_of(known[who]).size();
    RC_ASSERT(ledgers[who].open(batch, 0));
    known[who].insert(batch);
    const auto runs = runs_of(known[who]);
    const auto all = static_cast<std::int64_t>(runs.size() + runs_of(known[1 - who]).size());
    const bool forgets = runs.size() > before &&
                         (runs.size() > limits.runs || (runs.size() > limits.always && all > room_for));
    if (forgets)
      for (auto b = *runs.begin(); known[who].erase(b) > 0; ++b) {
      }
    RC_ASSERT(ledgers[who].take_forgotten() == (forgets ? 1U : 0U));
    for (std::size_t n = 0; n < 2; ++n)
      for (std::uint64_t b = 1; b < 30; ++b)
        RC_ASSERT(ledgers[n].of(b) == (known[n].contains(b) ? standing::durable : standing::unknown));
    const auto left = static_cast<std::int64_t>(runs_of(known[0]).size() + runs_of(known[1]).size());
    RC_ASSERT(room->used() == left * batch_ledger::run_bytes);
    RC_ASSERT(left <= room_for + static_cast<std::int64_t>(limits.always));
  }
}

TEST(batch_ledger_test, forgets_the_lowest_of_too_many_runs_and_never_invents_one) {
  const auto room = std::make_shared<shared_budget>(std::size_t{1} << 30);
  {
    batch_ledger ledger(room);
    constexpr std::uint64_t last = 2 * (1024 + 7);
    for (std::uint64_t b = 2; b <= last; b += 2) ledger.open(b, 0);
    EXPECT_EQ(ledger.of(14), standing::unknown);
    EXPECT_EQ(ledger.of(16), standing::durable);
    EXPECT_EQ(ledger.of(17), standing::unknown);
    EXPECT_EQ(ledger.of(last), standing::durable);
    EXPECT_EQ(ledger.take_forgotten(), 7U);
    EXPECT_EQ(ledger.take_forgotten(), 0U);
  }
  EXPECT_EQ(room->used(), 0);
}

TEST(batch_ledger_test, is_complete_with_the_last_flow) {
  batch_ledger ledger(std::make_shared<shared_budget>(0));
  EXPECT_TRUE(ledger.open(1, 0));
  EXPECT_FALSE(ledger.open(2, 3));
  EXPECT_FALSE(ledger.durable(2, 2));
  EXPECT_TRUE(ledger.durable(2, 1));
  EXPECT_EQ(ledger.open_batches(), 0U);
}

TEST(batch_ledger_test, more_durable_than_there_are_is_a_broken_invariant) {
  batch_ledger ledger(std::make_shared<shared_budget>(0));
  ledger.open(1, 1);
  EXPECT_DEATH(ledger.durable(1, 2), "more flows durable");
}

}  // namespace
}  // namespace tenure::actors
