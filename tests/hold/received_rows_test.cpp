#include "hold/received_rows.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "hold/row_format.hpp"
#include "tests/hold/sent_rows.hpp"

namespace tenure::hold {
namespace {

bool same_but_times(const flow& a, const flow& b) {
  return a.id == b.id && a.connection == b.connection && a.part == b.part && a.reporter == b.reporter &&
         a.transport == b.transport && a.end == b.end && a.near_address == b.near_address &&
         a.far_address == b.far_address && a.near_port == b.near_port && a.far_port == b.far_port &&
         a.near_tenancy == b.near_tenancy && a.near_workload == b.near_workload && a.dialled == b.dialled &&
         a.connections == b.connections && a.connect_errno == b.connect_errno && a.counters == b.counters;
}

bool same_times(const flow_times& a, const flow_times& b) {
  return a.opened == b.opened && a.established == b.established && a.last_received == b.last_received &&
         a.closed == b.closed && a.transit == b.transit && a.error == b.error &&
         a.is_established == b.is_established;
}

RC_GTEST_PROP(ReceivedRows, OfAnAgentAreRightAndReadAsTheyWereWritten, ()) {
  const auto sent = some_rows();
  const auto rows = sent.received();
  nanos last = begun;
  const char* const wrong = wrong_in(rows, sent.rows.bytes().size(), names, last);
  RC_ASSERT(std::string(wrong == nullptr ? "" : wrong) == "");
  nanos expected = begun;
  received_cursor cursor(rows);
  for (const auto& f : sent.flows) {
    received_row r;
    cursor.next(r);
    RC_ASSERT(r.far == f.far_address);
    RC_ASSERT(cursor.near_address(r) == f.near_address);
    RC_ASSERT(r.connections == f.connections);
    RC_ASSERT(r.near_name == static_cast<std::uint32_t>(f.near_workload));
    const flow whole = cursor.whole(r);
    RC_ASSERT(same_but_times(whole, f) && same_times(whole.times, f.times));
    expected =
        std::max({expected, f.times.opened, f.times.established, f.times.last_received, f.times.closed});
  }
  RC_ASSERT(last == expected);
}

/// What is done for a flow that the shift does not reach; here so that it can be told.
void by_itself(flow_times& t) {
  t = {1, 2, 3, 4, 5, 6, true};
}

/// The earliest of a flow's stamps, as early as it may be.
nanos earliest(const flow_times& t) {
  return saturating_sub(std::min({t.opened, t.is_established ? t.established : t.closed, t.last_received}),
                        t.error);
}

RC_GTEST_PROP(ReceivedRows, AreMovedByTheShiftOrPlacedByThemselves, ()) {
  const auto clock = asked_for_a_while();
  const clock_shift shift(clock);
  const std::function<void(flow_times&)> place_one = by_itself;
  const auto sent = some_rows();
  const auto rows = sent.received();
  const row_placer placer(rows, shift, place_one);
  std::vector<packed_rows> placed(2, packed_rows(placer.base()));  // as to two shards
  std::vector<bool> second_of_two;
  received_cursor cursor(rows);
  for (const auto& f : sent.flows) {
    received_row r;
    cursor.next(r);
    second_of_two.push_back(*rc::gen::arbitrary<bool>());
    const auto name = f.near_workload == workload_id::none ? workload_id::none : workload_id{100'000};
    placer.add(placed[second_of_two.back() ? 1 : 0], cursor, r, name);
  }
  std::vector<row_cursor> read{{placed[0].base(), placed[0].bytes().data()},
                               {placed[1].base(), placed[1].bytes().data()}};
  for (std::size_t i = 0; i < sent.flows.size(); ++i) {
    flow expected = sent.flows[i];
    flow f;
    read[second_of_two[i] ? 1 : 0].next(f);
    if (expected.near_workload != workload_id::none) expected.near_workload = workload_id{100'000};
    RC_ASSERT(same_but_times(f, expected));
    flow_times t = expected.times;
    const nanos first = earliest(t);
    const bool reached = t.opened != time_min && t.last_received != time_min && first > begun &&
                         saturating_add(shift.error_since(first), t.error) <= movable_errors;
    if (reached) {
      for (nanos* at : {&t.opened, &t.established, &t.last_received, &t.closed}) *at += shift.offset();
      t.error += shift.error_since(first);
    } else {
      by_itself(t);
    }
    RC_ASSERT(same_times(f.times, t));
  }
  RC_ASSERT(placed[0].count() + placed[1].count() == sent.flows.size());
}

TEST(ReceivedRows, LoseTheirTenancyWithTheirName) {
  const clock_shift shift(asked_for_a_while());
  const std::function<void(flow_times&)> place_one = by_itself;
  sent_rows sent;
  for (const nanos opened : {begun + 10 * second, time_min}) {
    flow f;
    f.id = {7, 3, static_cast<std::uint32_t>(sent.flows.size())};
    f.end = end_reason::end_of_flow;
    f.near_tenancy = {7, 5};
    f.near_workload = workload_id{1};
    f.times = {opened, begun + 10 * second, begun + 11 * second, begun + 12 * second, 0, 0, true};
    sent.add(f);
  }
  const auto rows = sent.received();
  const row_placer placer(rows, shift, place_one);
  packed_rows placed(placer.base());
  received_cursor cursor(rows);
  for (std::size_t i = 0; i < sent.flows.size(); ++i) {
    received_row r;
    cursor.next(r);
    placer.add(placed, cursor, r, workload_id::none);
  }
  row_cursor read(placed.base(), placed.bytes().data());
  for (std::size_t i = 0; i < sent.flows.size(); ++i) {
    flow f;
    read.next(f);
    EXPECT_TRUE(f.near_tenancy.none());
    EXPECT_EQ(f.near_workload, workload_id::none);
  }
}

// Another program's rows may spend more on a number than it needs.
TEST(ReceivedRows, InLongerFormsThanNeededAreTheSame) {
  std::vector<std::byte> bytes(max_row_bytes + row_slack);
  row_writer out(bytes.data());
  out.small(end_bits, 3);
  out.raw(std::uint32_t{0x0a00'0002});
  out.raw(std::uint16_t{443});
  out.field_of_at_least<last_received, 2>(folded(5));
  out.field_of_at_least<life, 2>(folded(7));
  out.field_of_at_least<handshake, 2>(folded(9));
  out.field_of_at_least<transit, 2>(11);
  out.field_of_at_least<error, 2>(13);
  out.field_of_at_least<closing, 2>(folded(15));
  out.raw(std::uint16_t{40'000});
  out.raw(std::uint32_t{0x0a00'0001});
  out.field<index_gap>(0);
  out.field_of_at_least<connection, 2>(folded(17));
  out.field_of_at_least<part, 2>(19);
  out.field_of_at_least<near_sequence, 2>(21);
  out.field_of_at_least<near_name, 2>(23);
  out.field_of_at_least<bytes_sent, 2>(25);
  out.field_of_at_least<bytes_received, 2>(27);
  out.field_of_at_least<segments_sent, 2>(29);
  out.field_of_at_least<segments_received, 2>(31);
  out.field_of_at_least<retransmits, 2>(33);
  out.field_of_at_least<srtt, 2>(35);
  out.field_of_at_least<min_rtt, 2>(37);
  out.field_of_at_least<connect_time, 2>(39);
  const received_rows rows{theirs, bytes.data(), 1};
  nanos last = 0;
  const char* const wrong = wrong_in(rows, out.finish(), 23, last);
  ASSERT_EQ(wrong, nullptr) << wrong;
  EXPECT_EQ(last, begun - 5 + 15);
  received_cursor cursor(rows);
  received_row r;
  cursor.next(r);
  packed_rows placed(theirs);
  placed.add_received(r, workload_id{2}, 300);
  row_cursor read(theirs, placed.bytes().data());
  flow f;
  read.next(f);
  EXPECT_EQ(read.at(), placed.bytes().data() + placed.bytes().size());
  EXPECT_EQ(f.times.error, 300);
  EXPECT_EQ(f.times.closed, begun + 10);
  EXPECT_EQ(f.connection, 18U);
  EXPECT_EQ(f.part, 19U);
  EXPECT_EQ(f.near_tenancy.sequence, 21U);
  EXPECT_EQ(f.near_workload, workload_id{2});
  EXPECT_EQ(f.counters, (flow_counters{25, 27, 29, 31, 33, 35, 37, 39}));
}

// What is found right is right, whatever it is: a node reads it without looking again.
RC_GTEST_PROP(ReceivedRows, ThatAreTakenAreWithinTheirBounds, ()) {
  auto all = copied(some_rows());
  for (int n = *rc::gen::inRange(0, 4); n > 0; --n) {
    const auto at = *rc::gen::inRange<std::size_t>(0, all.bytes.size() - row_slack);
    all.bytes[at] ^= std::byte{1} << *rc::gen::inRange(0, 8);
  }
  if (*rc::gen::inRange(0, 8) == 0) all.bytes.resize(*rc::gen::inRange(row_slack, all.bytes.size()));
  RC_CLASSIFY(all.wrong() == nullptr, "taken");
  if (all.wrong() != nullptr) return;
  const received_rows rows{theirs, all.bytes.data(), all.count};
  received_cursor cursor(rows);
  const clock_shift shift(asked_for_a_while());
  const std::function<void(flow_times&)> place_one = by_itself;
  const row_placer placer(rows, shift, place_one);
  packed_rows placed(placer.base());
  for (std::uint32_t i = 0; i < all.count; ++i) {
    received_row r;
    cursor.next(r);
    RC_ASSERT(r.near_name <= names);
    RC_ASSERT(r.near_sequence == 0 || r.near_name > 0);
    const flow f = cursor.whole(r);
    RC_ASSERT(f.times.error >= 0 && f.times.transit >= 0);
    RC_ASSERT(f.end >= end_reason::idle_timeout && f.end <= end_reason::lack_of_resources);
    RC_ASSERT(f.connections >= 1 && (f.connections == 1 || !f.times.is_established));
    placer.add(placed, cursor, r, workload_id{~0U});
  }
  row_cursor read(placed.base(), placed.bytes().data());
  received_cursor again(rows);
  for (std::uint32_t i = 0; i < all.count; ++i) {
    received_row r;
    again.next(r);
    flow expected = again.whole(r);
    expected.near_workload = workload_id{~0U};
    flow f;
    read.next(f);
    RC_ASSERT(same_but_times(f, expected));
  }
  RC_ASSERT(read.at() == placed.bytes().data() + placed.bytes().size());
}

}  // namespace
}  // namespace tenure::hold
