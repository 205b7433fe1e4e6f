#include "actors/batch_ledger.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::actors {
namespace {

using standing = batch_ledger::standing;

RC_GTEST_PROP(batch_ledger_properties, knows_of_each_batch_what_a_plain_list_knows, ()) {
  batch_ledger ledger;
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
  }
}

TEST(batch_ledger_test, forgets_the_lowest_of_too_many_runs_and_never_invents_one) {
  batch_ledger ledger(3);
  for (std::uint64_t b = 2; b <= 20; b += 2) ledger.open(b, 0);
  EXPECT_EQ(ledger.of(2), standing::unknown);
  EXPECT_EQ(ledger.of(14), standing::unknown);
  EXPECT_EQ(ledger.of(16), standing::durable);
  EXPECT_EQ(ledger.of(17), standing::unknown);
  EXPECT_EQ(ledger.of(20), standing::durable);
}

}  // namespace
}  // namespace tenure::actors
