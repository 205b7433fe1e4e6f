#include "agent/short_flows.hpp"

#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/batcher.hpp"
#include "ownership/timelines.hpp"

namespace tenure::agent {
namespace {

const address here = address::v4(0x0a000001);

/// One of a few kinds, short or not.
observed_flow some_flow() {
  observed_flow o;
  auto& f = o.flow;
  f.reporter = *rc::gen::element(reporter::source, reporter::destination);
  f.near_address = here;
  f.far_address = address::v4(0x0a000002U + *rc::gen::inRange<std::uint32_t>(0, 2));
  const auto service = *rc::gen::element<std::uint16_t>(80, 443);
  const auto other = *rc::gen::inRange<std::uint16_t>(30000, 30010);
  f.near_port = f.reporter == reporter::source ? other : service;
  f.far_port = f.reporter == reporter::source ? service : other;
  f.part = *rc::gen::weightedElement<std::uint32_t>({{9, 0}, {1, 3}});
  f.end = *rc::gen::weightedElement<end_reason>(
      {{9, end_reason::end_of_flow}, {1, end_reason::idle_timeout}, {1, end_reason::active_timeout}});
  auto& t = f.times;
  t.opened = *rc::gen::inRange<nanos>(0, 10 * second);
  t.closed = t.opened + *rc::gen::inRange<nanos>(0, 3 * second / 2);
  t.is_established = *rc::gen::weightedElement<bool>({{4, true}, {1, false}});
  t.established = t.opened;
  t.last_received = *rc::gen::inRange<nanos>(t.opened, t.closed + 1);
  t.error = *rc::gen::inRange<nanos>(0, 10);
  f.counters.bytes_sent = *rc::gen::inRange<std::uint64_t>(0, 1000);
  f.counters.segments_received = *rc::gen::arbitrary<std::uint32_t>() >> 16;
  f.counters.min_rtt_us = *rc::gen::inRange<std::uint32_t>(0, 5);
  o.open_before_agent = *rc::gen::weightedElement<bool>({{9, false}, {1, true}});
  o.netns_cookie = *rc::gen::weightedElement<std::uint64_t>({{4, 1}, {1, 2}});
  return o;
}

bool stands_for(const flow& record, const flow& f) {
  const bool source = f.reporter == reporter::source;
  return record.reporter == f.reporter && record.far_address == f.far_address &&
         (source ? record.far_port == f.far_port : record.near_port == f.near_port) &&
         record.times.opened <= f.times.opened && record.times.closed >= f.times.closed &&
         record.times.last_received >= f.times.last_received && record.times.error >= f.times.error;
}

RC_GTEST_PROP(short_flows_property, nothing_is_lost_and_each_record_covers_whom_it_stands_for, ()) {
  const auto flows = *rc::gen::container<std::vector<observed_flow>>(rc::gen::exec(some_flow));
  batcher b{5};
  for (const auto& f : flows) b.add(f, nullptr, nullptr, true);
  RC_ASSERT(b.connections() == flows.size());
  if (flows.empty()) return;
  const auto sealed = b.seal();
  std::uint64_t connections = 0, bytes = 0, segments = 0, said_bytes = 0, said_segments = 0;
  for (const auto& r : sealed.flows) {
    connections += r.connections;
    said_bytes += r.counters.bytes_sent;
    said_segments += r.counters.segments_received;
    if (r.connections == 1) continue;
    RC_ASSERT(r.end == end_reason::lack_of_resources);
    RC_ASSERT(!r.times.is_established);
    RC_ASSERT((r.reporter == reporter::source ? r.near_port : r.far_port) == 0);
  }
  for (const auto& f : flows) {
    bytes += f.flow.counters.bytes_sent;
    segments += f.flow.counters.segments_received;
    std::size_t alone = 0, shared = 0;
    for (const auto& r : sealed.flows)
      if (stands_for(r, f.flow)) ++(r.connections == 1 ? alone : shared);
    RC_ASSERT(alone + shared > 0U);
    RC_ASSERT(short_flows::may_share(f) || alone > 0U);
  }
  RC_ASSERT(connections == flows.size());
  RC_ASSERT(bytes == said_bytes);
  RC_ASSERT(segments == said_segments);
}

/// Who holds the far address, by turns of a second: now somebody whole, now its ports one by one.
struct turn {
  bool whole = true;
  std::uint64_t first_sequence = 1;  ///< of port 30000; those of the others follow
};

std::uint64_t holder(const std::vector<turn>& turns, nanos at, std::uint16_t port) {
  const auto& t = turns[static_cast<std::size_t>(at / second)];
  return t.whole ? t.first_sequence : t.first_sequence + port - 30000;
}

timelines all_said(const std::vector<turn>& turns, address far) {
  timelines said;
  for (std::size_t i = 0; i < turns.size(); ++i)
    for (std::uint16_t port = 0; port < (turns[i].whole ? 1 : 4); ++port) {
      evidence e;
      const std::uint16_t at = turns[i].whole ? 0 : 30000 + port;
      e.endpoint = {far, at};
      e.tenancy = {9, turns[i].first_sequence + port};
      e.workload = static_cast<workload_id>(e.tenancy.sequence);
      e.from = static_cast<nanos>(i) * second;
      e.until = e.from + second;
      said.merge(e);
    }
  return said;
}

RC_GTEST_PROP(short_flows_property, what_a_record_is_given_to_held_the_far_end_of_each, ()) {
  const address far = address::v4(0x0a000002);
  std::vector<turn> turns(6);
  std::uint64_t next = 1;
  for (auto& t : turns) {
    t.whole = *rc::gen::arbitrary<bool>();
    t.first_sequence = std::exchange(next, next + 4);
  }
  const auto said = all_said(turns, far);
  batcher b{5};
  std::map<std::pair<std::uint16_t, bool>, std::vector<std::uint64_t>> truth;  // by our port, and who opened
  const auto count = *rc::gen::inRange(2, 12);
  // Within a part of the time, so that some records are within one turn.
  const auto begin = *rc::gen::inRange<nanos>(0, 5 * second);
  for (int i = 0; i < count; ++i) {
    observed_flow o;
    auto& f = o.flow;
    f.near_address = here;
    f.far_address = far;
    f.reporter = *rc::gen::element(reporter::source, reporter::destination);
    const std::uint16_t service = f.reporter == reporter::source ? 30001 : 80;
    f.near_port = f.reporter == reporter::source ? static_cast<std::uint16_t>(40000 + i) : service;
    f.far_port = f.reporter == reporter::source ? service : *rc::gen::inRange<std::uint16_t>(30000, 30004);
    f.times.opened = begin + *rc::gen::inRange<nanos>(0, second);
    const nanos turn_ends = (f.times.opened / second + 1) * second;
    f.times.closed = *rc::gen::inRange<nanos>(f.times.opened, turn_ends);
    f.times.established = f.times.last_received = f.times.opened;
    f.times.is_established = true;
    b.add(o, nullptr, nullptr, true);
    truth[{service, f.reporter == reporter::source}].push_back(holder(turns, f.times.opened, f.far_port));
  }
  for (const auto& r : b.seal().flows) {
    const bool source = r.reporter == reporter::source;
    const auto answer = said.resolve(r.far_address, r.far_port, r.times);
    const auto& who = truth.at({source ? r.far_port : r.near_port, source});
    RC_ASSERT(r.connections == who.size());
    if (!answer.attributed()) continue;
    RC_TAG(r.connections > 1 ? "given" : "alone");
    for (const auto sequence : who) RC_ASSERT(answer.tenancy.sequence == sequence);
  }
}

TEST(short_flows, of_two_hundred_that_one_tenancy_covers_one_record_is_attributed) {
  const address far = address::v4(0x0a000002);
  const auto said = all_said(std::vector<turn>(3), far);  // one tenancy all along
  batcher b{5};
  for (int i = 0; i < 200; ++i) {
    observed_flow o;
    o.flow.far_address = far;
    o.flow.far_port = 443;
    o.flow.near_port = static_cast<std::uint16_t>(40000 + i);
    o.flow.times.opened = second + i * millisecond;
    o.flow.times.established = o.flow.times.last_received = o.flow.times.opened + 1;
    o.flow.times.closed = o.flow.times.opened + 100 * millisecond;
    o.flow.times.is_established = true;
    b.add(o, nullptr, nullptr, true);
  }
  const auto sealed = b.seal();
  ASSERT_EQ(sealed.flows.size(), 1U);
  EXPECT_EQ(sealed.flows[0].connections, 200U);
  EXPECT_TRUE(said.resolve(far, 443, sealed.flows[0].times).attributed());
}

TEST(short_flows, without_need_each_has_its_own_record) {
  batcher b{5};
  for (int i = 0; i < 5; ++i) b.add({}, nullptr);
  EXPECT_EQ(b.seal().flows.size(), 5U);
}

}  // namespace
}  // namespace tenure::agent
