#include "actors/lot_split.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "actors/hold_queue.hpp"

namespace tenure::actors {
namespace {

/// A lot of batches of so many flows.
due_lot_ptr lot_of(const std::vector<std::uint32_t>& batches) {
  hold_queue q{{.hold = second, .when = release::early}, hold::block_pool::make()};
  std::uint64_t batch = 40;
  for (const auto flows : batches) {
    flow_lot one;
    one.ticket = ++batch;
    one.rows = hold::packed_rows({7, batch, 1'000, 0});
    for (std::uint32_t i = 0; i < flows; ++i) {
      flow f;
      f.id = {7, batch, 3 * i};
      f.connection = 1'000 * batch + i * i;
      f.far_address = address::v4(i);
      one.rows.add(f);
    }
    q.push(one, 5);
  }
  const auto lots = q.due(2 * second);
  return lots.empty() ? nullptr : lots[0];
}

struct seen_flow {
  flow_id id;
  std::uint64_t connection = 0;
  std::uint64_t ticket = 0;
  friend bool operator==(const seen_flow&, const seen_flow&) = default;
};

std::vector<seen_flow> flows_of(const due_lot& lot) {
  std::vector<seen_flow> out;
  const std::byte* at = lot.rows;
  flow f;
  for (const auto& part : lot.parts) {
    hold::row_cursor rows(part.base, at);
    at += part.bytes;
    for (std::uint32_t n = 0; n < part.flows; ++n) {
      rows.next(f);
      out.push_back({f.id, f.connection, part.ticket});
    }
  }
  return out;
}

verdict answer(std::size_t i) {
  verdict v;
  v.workload = workload_id{static_cast<std::uint32_t>(i + 1)};
  return v;
}

RC_GTEST_PROP(lot_split, each_flow_is_in_one_half_with_its_own_answer_and_in_its_order, ()) {
  const auto batches =
      *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(1, 20));
  RC_PRE(!batches.empty());
  const auto lot = lot_of(batches);
  const auto kind = *rc::gen::inRange(0, 5);  // all go, all stay, or some of both
  std::vector<verdict> verdicts;
  std::vector<bool> stays;
  std::vector<seen_flow> going;
  std::vector<verdict> answers;
  std::vector<seen_flow> staying;
  const auto all = flows_of(*lot);
  for (std::size_t i = 0; i < lot->flows; ++i) {
    verdicts.push_back(answer(i));
    stays.push_back(kind == 0 ? false : kind == 1 ? true : *rc::gen::arbitrary<bool>());
    (stays[i] ? staying : going).push_back(all[i]);
    if (!stays[i]) answers.push_back(verdicts[i]);
  }
  const auto halves = split(lot, verdicts, stays);
  RC_ASSERT((halves.goes != nullptr) == !going.empty());
  RC_ASSERT((halves.stays != nullptr) == !staying.empty());
  if (halves.goes) {
    RC_ASSERT(flows_of(*halves.goes->lot) == going);
    RC_ASSERT(halves.goes->verdicts == answers);
    RC_ASSERT(halves.goes->lot->flows == going.size());
  }
  if (halves.stays) {
    RC_ASSERT(flows_of(*halves.stays) == staying);
    RC_ASSERT(halves.stays->flows == staying.size());
    RC_ASSERT(halves.stays->arrived == lot->arrived);
  }
}

}  // namespace
}  // namespace tenure::actors
