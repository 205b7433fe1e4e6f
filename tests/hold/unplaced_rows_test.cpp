#include "hold/unplaced_rows.hpp"

#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::hold {
namespace {

constexpr nanos begun = 1'000 * second;
constexpr nanos apart = 500 * second;  // ours is so much later than theirs

/// Pings answered every quarter of a second for twenty, within 2 ms, while their clock runs as ours does.
clock_bound asked_for_a_while() {
  clock_bound clock;
  for (nanos at = begun; at <= begun + 20 * second; at += second / 4)
    EXPECT_TRUE(clock.add({at + apart - millisecond, at + apart + millisecond, at}));
  return clock;
}

flow some_flow(std::uint32_t index) {
  flow f;
  f.id = {7, 3, index};
  f.connection = *rc::gen::arbitrary<std::uint32_t>();
  f.far_address = address::v4(*rc::gen::arbitrary<std::uint32_t>());
  f.near_address = address::v4(*rc::gen::arbitrary<std::uint32_t>());
  f.far_port = *rc::gen::arbitrary<std::uint16_t>();
  f.counters.bytes_sent = *rc::gen::arbitrary<std::uint64_t>();
  f.times.is_established = *rc::gen::inRange(0, 4) != 0;
  // Some of them before the first ping.
  const nanos closed = begun + *rc::gen::inRange<nanos>(0, 20 * second);
  const auto before = [](nanos t) { return t - *rc::gen::inRange<nanos>(0, 3 * second); };
  f.times.closed = closed;
  f.times.last_received = before(closed);
  f.times.established = before(f.times.last_received);
  f.times.opened = before(f.times.established);
  if (*rc::gen::inRange(0, 8) == 0) f.times.opened = time_min;
  if (*rc::gen::inRange(0, 8) == 0) f.times.last_received = time_min;
  f.times.transit = *rc::gen::inRange<nanos>(0, second);
  f.times.error = *rc::gen::element<nanos>(0, 1, 4 * millisecond, movable_errors, movable_errors + 1, second);
  return f;
}

/// What is done for a flow that the shift does not reach; here so that it can be told.
void by_itself(flow_times& t) {
  t = {1, 2, 3, 4, 5, 6, true};
}

bool is_by_itself(const flow_times& t) {
  return t.opened == 1 && t.established == 2 && t.last_received == 3 && t.closed == 4 && t.error == 6;
}

RC_GTEST_PROP(UnplacedRows, AreMovedByTheShiftOrPlacedByThemselves, ()) {
  const auto clock = asked_for_a_while();
  const clock_shift shift(clock);
  std::vector<flow> flows;
  unplaced_rows rows({7, 3, begun, 0});
  for (int n = *rc::gen::inRange(1, 20); n > 0; --n) {
    flows.push_back(some_flow(static_cast<std::uint32_t>(2 * flows.size())));
    rows.add(flows.back());
  }
  const packed_rows placed = rows.place(shift, by_itself);
  RC_ASSERT(rows.empty());
  RC_ASSERT(placed.count() == flows.size());
  row_cursor cursor(placed.base(), placed.bytes().data());
  for (const auto& theirs : flows) {
    flow f;
    cursor.next(f);
    RC_ASSERT(f.id == theirs.id);
    RC_ASSERT(f.connection == theirs.connection);
    RC_ASSERT(f.far_address == theirs.far_address);
    RC_ASSERT(f.near_address == theirs.near_address);
    RC_ASSERT(f.counters == theirs.counters);
    const auto& t = theirs.times;
    const nanos first = saturating_sub(
        std::min({t.opened, t.is_established ? t.established : t.closed, t.last_received}), t.error);
    const bool reached = t.opened != time_min && t.last_received != time_min && first > begun &&
                         saturating_add(shift.error_since(first), t.error) <= movable_errors;
    RC_ASSERT(is_by_itself(f.times) != reached);
    if (!reached) continue;
    RC_ASSERT(f.times.opened == t.opened + shift.offset());
    RC_ASSERT(f.times.established == t.established + shift.offset());
    RC_ASSERT(f.times.last_received == t.last_received + shift.offset());
    RC_ASSERT(f.times.closed == t.closed + shift.offset());
    RC_ASSERT(f.times.transit == t.transit);
    RC_ASSERT(f.times.is_established == t.is_established);
    RC_ASSERT(f.times.error == shift.error_since(first) + t.error);
  }
}

// What most flows are: none of them is taken apart.
TEST(UnplacedRows, AreLeftAsTheyLieWhereTheShiftReachesAll) {
  const auto clock = asked_for_a_while();
  unplaced_rows rows({7, 3, begun, 0});
  for (std::uint32_t i = 0; i < 50; ++i) {
    flow f;
    f.id = {7, 3, i};
    f.times = {
        begun + 10 * second, begun + 10 * second + 1, begun + 11 * second, begun + 12 * second, 0, 0, true};
    rows.add(f);
  }
  int by_themselves = 0;
  const auto placed = rows.place(clock_shift(clock), [&](flow_times&) { ++by_themselves; });
  EXPECT_EQ(placed.count(), 50);
  EXPECT_EQ(by_themselves, 0);
}

}  // namespace
}  // namespace tenure::hold
