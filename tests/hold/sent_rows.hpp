#pragma once

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "hold/received_rows.hpp"

/// Rows as an agent sends them, for tests.
namespace tenure::hold {

inline constexpr nanos begun = 1'000 * second;
inline constexpr nanos apart = 500 * second;  // ours is so much later than theirs
inline constexpr row_base theirs{7, 3, begun, 0x2001'0db8'0000'0001ULL};
inline constexpr std::size_t names = 300;

/// Pings answered every quarter of a second for twenty, within 2 ms, while their clock runs as ours does.
inline clock_bound asked_for_a_while() {
  clock_bound clock;
  for (nanos at = begun; at <= begun + 20 * second; at += second / 4)
    EXPECT_TRUE(clock.add({at + apart - millisecond, at + apart + millisecond, at}));
  return clock;
}

inline address some_address() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return address::from_halves(theirs.near_high, *rc::gen::arbitrary<std::uint64_t>());
    case 1:
      return address::from_halves(theirs.near_high + 1, *rc::gen::arbitrary<std::uint64_t>());
    case 2:
      return address::from_halves(*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>());
    default:
      return address::v4(*rc::gen::arbitrary<std::uint32_t>());
  }
}

/// The stamps of some flow, of which a shift reaches most.
inline flow_times some_times() {
  flow_times t;
  t.is_established = *rc::gen::inRange(0, 4) != 0;
  // Some of them before the first ping.
  const nanos closed = begun + *rc::gen::inRange<nanos>(0, 20 * second);
  const auto before = [](nanos of) { return of - *rc::gen::inRange<nanos>(0, 3 * second); };
  t.closed = closed;
  t.last_received = before(closed);
  t.established = before(t.last_received);
  t.opened = before(t.established);
  if (*rc::gen::inRange(0, 8) == 0) t.established = before(t.opened);  // whatever an agent says
  if (*rc::gen::inRange(0, 8) == 0) t.opened = time_min;
  if (*rc::gen::inRange(0, 8) == 0) t.last_received = time_min;
  t.transit = *rc::gen::inRange<nanos>(0, second);
  t.error = *rc::gen::element<nanos>(0, 1, 4 * millisecond, movable_errors, movable_errors + 1, second);
  return t;
}

inline flow some_flow(std::uint32_t index) {
  flow f;
  f.id = {theirs.incarnation, theirs.batch, index};
  f.connection = *rc::gen::oneOf(rc::gen::arbitrary<std::uint64_t>(), rc::gen::just<std::uint64_t>(index));
  f.part = *rc::gen::element<std::uint32_t>(0, 1, 70'000);
  f.end = end_reason{static_cast<std::uint8_t>(*rc::gen::inRange(1, 6))};
  f.transport = *rc::gen::element(transport_protocol::tcp, transport_protocol::udp);
  f.far_address = some_address();
  f.near_address = some_address();
  f.far_port = *rc::gen::arbitrary<std::uint16_t>();
  f.near_port = *rc::gen::arbitrary<std::uint16_t>();
  f.near_workload = workload_id{static_cast<std::uint32_t>(*rc::gen::inRange<std::size_t>(0, names + 1))};
  if (f.near_workload != workload_id::none && *rc::gen::arbitrary<bool>())
    f.near_tenancy = {theirs.incarnation, *rc::gen::inRange<std::uint64_t>(1, 1 << 20)};
  f.counters.bytes_sent = *rc::gen::arbitrary<std::uint64_t>();
  f.counters.connect_us = *rc::gen::arbitrary<std::uint32_t>();
  f.times = some_times();
  f.connect_errno = *rc::gen::element<std::uint16_t>(0, 0, 111);
  if (!f.times.is_established && *rc::gen::arbitrary<bool>()) f.connections = 7;
  if (*rc::gen::inRange(0, 4) == 0) f.dialled = {some_address(), 443};
  return f;
}

/// What an agent would send, and where it lies.
struct sent_rows {
  std::vector<flow> flows;
  packed_rows rows{theirs};

  received_rows received() const { return {rows.base(), rows.bytes().data(), rows.count()}; }
  void add(const flow& f) {
    flows.push_back(f);
    rows.add_movable(f);
  }
};

inline sent_rows some_rows() {
  sent_rows out;
  for (std::uint32_t n = *rc::gen::inRange<std::uint32_t>(1, 20), i = 0; i < n; ++i) out.add(some_flow(i));
  return out;
}

/// Bytes that are rows, or were.
struct spoiled_rows {
  std::vector<std::byte> bytes;
  std::uint32_t count;

  const char* wrong() const {
    nanos last = begun;
    return wrong_in({theirs, bytes.data(), count}, bytes.size() - row_slack, names, last);
  }
};

inline spoiled_rows copied(const sent_rows& sent) {
  spoiled_rows out{{sent.rows.bytes().begin(), sent.rows.bytes().end()}, sent.rows.count()};
  out.bytes.resize(out.bytes.size() + row_slack);
  return out;
}

}  // namespace tenure::hold
