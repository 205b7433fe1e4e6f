#include "hold/packed_flow.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "hold/received_rows.hpp"
#include "ownership/asked_port.hpp"

namespace tenure::hold {
namespace {

/// Any value, and small ones and the ends of the range more often than chance gives them.
template <class Number>
Number some() {
  using limits = std::numeric_limits<Number>;
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return static_cast<Number>(*rc::gen::inRange(0, 1000));
    case 1:
      return *rc::gen::element(limits::min(), limits::max(), Number{1}, Number{255}, Number{256},
                               static_cast<Number>(limits::max() - 1));
    case 2:
      return static_cast<Number>(*rc::gen::arbitrary<Number>() >>
                                 *rc::gen::inRange(0, 8 * int{sizeof(Number)}));
    default:
      return *rc::gen::arbitrary<Number>();
  }
}

address some_address(std::uint64_t near_high) {
  switch (*rc::gen::inRange(0, 4)) {
    case 3:
      return address::from_halves((near_high >> 32 << 32) | some<std::uint32_t>(), some<std::uint64_t>());
    case 0:
      return address::v4(some<std::uint32_t>());
    case 1:
      return address::from_halves(near_high, some<std::uint64_t>());
    default:
      return address::from_halves(some<std::uint64_t>(), some<std::uint64_t>());
  }
}

flow some_flow(const row_base& base, std::uint32_t index) {
  flow f;
  f.id = {base.incarnation, base.batch, index};
  f.connection = some<std::uint64_t>();
  f.part = some<std::uint32_t>();
  f.reporter = *rc::gen::element(reporter::source, reporter::destination);
  f.transport = *rc::gen::element(transport_protocol::tcp, transport_protocol::udp);
  f.end = static_cast<end_reason>(*rc::gen::inRange(1, 6));
  f.near_address = some_address(base.near_high);
  f.far_address = some_address(base.near_high);
  f.near_port = some<std::uint16_t>();
  f.far_port = some<std::uint16_t>();
  if (const auto sequence = some<std::uint64_t>(); sequence != 0)
    f.near_tenancy = {base.incarnation, sequence};
  f.near_workload = workload_id{some<std::uint32_t>()};
  const auto near = [&] {
    return *rc::gen::arbitrary<bool>() ? base.time - some<std::uint32_t>() : some<nanos>();
  };
  f.times = {near(),
             near(),
             near(),
             near(),
             some<nanos>() & time_max,
             some<nanos>() & time_max,
             *rc::gen::arbitrary<bool>()};
  f.counters = {some<std::uint64_t>(), some<std::uint64_t>(), some<std::uint32_t>(), some<std::uint32_t>(),
                some<std::uint32_t>(), some<std::uint32_t>(), some<std::uint32_t>(), some<std::uint32_t>()};
  if (*rc::gen::inRange(0, 4) == 0) f.connect_errno = *rc::gen::inRange<std::uint16_t>(0, 256);
  if (*rc::gen::inRange(0, 4) == 0) f.connections = some<std::uint32_t>();
  if (*rc::gen::inRange(0, 4) == 0)
    if (const auto port = some<std::uint16_t>(); port != 0) f.dialled = {some_address(base.near_high), port};
  return f;
}

bool same_times(const flow_times& a, const flow_times& b) {
  return a.opened == b.opened && a.established == b.established && a.last_received == b.last_received &&
         a.closed == b.closed && a.transit == b.transit && a.error == b.error &&
         a.is_established == b.is_established;
}

bool same(const flow& a, const flow& b) {
  return a.id == b.id && a.connection == b.connection && a.part == b.part && a.reporter == b.reporter &&
         a.transport == b.transport && a.end == b.end && a.near_address == b.near_address &&
         a.far_address == b.far_address && a.near_port == b.near_port && a.far_port == b.far_port &&
         a.near_tenancy == b.near_tenancy && a.near_workload == b.near_workload && a.dialled == b.dialled &&
         a.connections == b.connections && a.connect_errno == b.connect_errno &&
         same_times(a.times, b.times) && a.counters == b.counters;
}

RC_GTEST_PROP(PackedFlow, EveryFieldComesBack, ()) {
  row_base base{some<std::uint64_t>() | 1, some<std::uint64_t>(), *rc::gen::inRange<nanos>(0, time_max / 2),
                some<std::uint64_t>()};
  packed_rows rows(base);
  std::vector<flow> flows;
  std::uint32_t index = 0;
  for (int n = *rc::gen::inRange(1, 20); n > 0; --n) {
    index += static_cast<std::uint32_t>(*rc::gen::inRange(1, 1000));
    flows.push_back(some_flow(base, index));
    rows.add(flows.back());
  }
  RC_ASSERT(rows.count() == flows.size());
  row_cursor whole(base, rows.bytes().data());
  row_cursor asked(base, rows.bytes().data());
  row_cursor named(base, rows.bytes().data());
  for (const auto& expected : flows) {
    flow f;
    const auto* const before = whole.at();
    whole.next(f);
    RC_ASSERT(same(f, expected));
    RC_ASSERT(static_cast<std::size_t>(whole.at() - before) <= max_row_bytes);
    question q;
    asked.next(q);
    RC_ASSERT(q.far == expected.far_address);
    RC_ASSERT(q.far_port == asked_port(expected.transport, expected.far_port));
    RC_ASSERT(same_times(q.times, expected.times));
    RC_ASSERT(asked.at() == whole.at());
    RC_ASSERT(named.next_near_workload() == expected.near_workload);
    RC_ASSERT(named.at() == whole.at());
  }
  RC_ASSERT(whole.at() == rows.bytes().data() + rows.bytes().size());
}

// Whichever of them are copied, the copies lie there byte for byte as if only they had been added.
RC_GTEST_PROP(PackedFlow, CopiesOfSomeAreAsIfOnlyTheyHadBeenAdded, ()) {
  row_base base{some<std::uint64_t>() | 1, some<std::uint64_t>(), *rc::gen::inRange<nanos>(0, time_max / 2),
                some<std::uint64_t>()};
  packed_rows rows(base);
  packed_rows expected(base);
  std::vector<bool> wanted;
  std::uint32_t index = 0;
  for (int n = *rc::gen::inRange(1, 20); n > 0; --n) {
    index += static_cast<std::uint32_t>(*rc::gen::inRange(1, 1000));
    const flow f = some_flow(base, index);
    rows.add(f);
    wanted.push_back(*rc::gen::arbitrary<bool>());
    if (wanted.back()) expected.add(f);
  }
  packed_rows copied(base);
  row_cursor at(base, rows.bytes().data());
  for (const bool w : wanted) {
    const auto row = at.next_row();
    if (w) copied.add_copy(row);
  }
  RC_ASSERT(at.at() == rows.bytes().data() + rows.bytes().size());
  RC_ASSERT(copied.count() == expected.count());
  RC_ASSERT(std::ranges::equal(copied.bytes(), expected.bytes()));
}

/// Flows as a busy host of a fleet has them: `v6` or not, a minute of life at the most.
double bytes_of_typical(bool v6) {
  const row_base base{7, 3, 5000 * second, 0x2001'0db8'0000'0001ULL};
  packed_rows rows(base);
  constexpr std::uint32_t count = 10'000;
  for (std::uint32_t i = 0; i < count; ++i) {
    flow f;
    f.id = {7, 3, i * 2};
    f.connection = 100'000 + i * 3 % 1'000 + i;
    const auto where = [&](std::uint64_t high, std::uint32_t n) {
      return v6 ? address::from_halves(high, n) : address::v4(0x0a00'0000 + n);
    };
    f.near_address = where(base.near_high, i % 20);
    f.far_address = where(0x2001'0db8'0000'0002ULL + i, i);
    f.near_port = static_cast<std::uint16_t>(32'768 + i);
    f.far_port = 443;
    f.near_tenancy = {7, 1 + i % 2'000};
    f.near_workload = workload_id{1 + i % 5'000};
    const nanos closed = base.time - i % 1'000 * millisecond;
    const nanos received = closed - i % 60 * 10 * millisecond;
    const nanos established = received - (i % 10 == 0 ? 60 : 1) * (i % 1'000) * millisecond - 123'456;
    f.times = {established - 300'123, established, received, closed, 1'500'000, 180'000 + i % 1000, true};
    f.counters = {500 + i, 20'000 + 17 * i, 4 + i % 50, 10 + i % 60, 0, 350 + i % 100, 200, 300};
    rows.add(f);
  }
  return static_cast<double>(rows.bytes().size()) / count;
}

TEST(PackedFlow, IsNeverShorterThanWhatCreditReckonsWith) {
  flow f;
  f.end = end_reason::end_of_flow;
  f.near_address = f.far_address = address::v4(1);
  f.connection = 1;
  packed_rows rows(row_base{7, 3, 0, 0});
  rows.add_movable(f);
  EXPECT_EQ(rows.bytes().size(), std::size_t{shortest_received_row});
}

TEST(PackedFlow, TakesFewBytes) {
  EXPECT_LE(bytes_of_typical(false), 60);
  EXPECT_LE(bytes_of_typical(true), 76);
}

}  // namespace
}  // namespace tenure::hold
