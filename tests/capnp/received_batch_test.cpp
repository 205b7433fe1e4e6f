#include "capnp/received_batch.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/capnp/samples.hpp"

namespace tenure::wire {
namespace {

using samples::incarnation;

/// What rows keep of a batch: of the reason why a connect failed one byte, and no initial sequence numbers.
message packed(message m) {
  if (auto* const b = std::get_if<batch>(&m))
    for (auto& f : b->flows) {
      f.near_initial_sequence = f.far_initial_sequence = 0;
      f.connect_errno = std::min<std::uint16_t>(f.connect_errno, 255);
    }
  return m;
}

/// A batch of what was received, taken out of the frame, and of another one what a node does not ask for:
/// labels, and tenancies that no evidence names. It should be that other one, which `decode` made.
batch whole(const received_batch& got, const batch& decoded) {
  batch out;
  out.number = got.number();
  RC_ASSERT(got.workloads().size() == decoded.workloads.size());
  for (std::size_t i = 0; i < got.workloads().size(); ++i)
    out.workloads.push_back({std::string(got.workloads()[i]), decoded.workloads[i].labels});
  out.tenancies = decoded.tenancies;
  got.each_evidence([&](evidence& e) { out.evidence.push_back(e); });
  hold::received_cursor rows(got.rows());
  for (std::uint32_t i = 0; i < got.rows().count; ++i) {
    hold::received_row r;
    rows.next(r);
    out.flows.push_back(rows.whole(r));
  }
  return out;
}

void says_the_same(const frame& f) {
  const auto plain = decode(f, incarnation);
  auto kept = receive(std::make_shared<const frame>(f), incarnation);
  RC_ASSERT(plain.has_value() == kept.has_value());
  if (!plain) {
    RC_ASSERT(plain.error().text == kept.error().text);
    return;
  }
  const auto* const decoded = std::get_if<batch>(&*plain);
  const auto* const received = std::get_if<received_batch>(&*kept);
  RC_ASSERT((decoded != nullptr) == (received != nullptr));
  const message said = received ? message(whole(*received, *decoded)) : std::get<message>(std::move(*kept));
  RC_ASSERT(samples::describe(said) == samples::describe(packed(*plain)));
}

RC_GTEST_PROP(received_batch, is_what_decode_makes_of_it, (std::uint64_t seed)) {
  says_the_same(encode(samples::any_message(seed, 30)));
}

RC_GTEST_PROP(received_batch, is_what_decode_makes_of_it_packed, (std::uint64_t seed)) {
  says_the_same(encode_packed(samples::any_batch(seed, 30)));
}

// Packed or not, it is the same batch, and may be sent either way again.
RC_GTEST_PROP(received_batch, says_the_same_packed_and_plain, (std::uint64_t seed)) {
  const auto sent = samples::any_batch(seed, 10);
  const auto f = encode_packed(sent);
  auto expected = sent;
  const auto told = [&](const tenancy_entry& t) {
    return std::ranges::any_of(sent.evidence, [&](const auto& e) { return e.tenancy == t.id; });
  };
  std::erase_if(expected.tenancies, [&](const auto& t) { return !told(t); });
  auto got = decode(f, incarnation);
  RC_ASSERT(got.has_value());
  auto& b = std::get<batch>(*got);
  auto again = decode(*unpacked(f, incarnation), incarnation);
  RC_ASSERT(again.has_value());
  RC_ASSERT(samples::describe(*again) == samples::describe(*got));
  RC_ASSERT(std::ranges::all_of(b.flows, [&](const flow& g) {
    return g.near_tenancy.none() || std::ranges::any_of(b.tenancies, [&](const auto& t) {
             return t.id == g.near_tenancy && t.workload == g.near_workload;
           });
  }));
  b.tenancies.resize(expected.tenancies.size());  // behind them those that only flows name
  RC_ASSERT(samples::describe(*got) == samples::describe(packed(expected)));
  RC_ASSERT(is_packed(f) && !is_packed(encode(sent)));
}

RC_GTEST_PROP(received_batch, refuses_what_decode_refuses, (std::uint64_t seed, bool rows)) {
  const auto sent = samples::any_batch(seed, 5);
  auto f = rows ? encode_packed(sent) : encode(sent);
  for (int n = *rc::gen::inRange(1, 4); n > 0; --n)
    f[*rc::gen::inRange<std::size_t>(0, f.size())] ^= std::uint64_t{1} << *rc::gen::inRange(0, 64);
  says_the_same(f);
}

RC_GTEST_PROP(received_batch, knows_its_latest_stamp, (std::uint64_t seed, bool rows)) {
  const auto sent = samples::any_batch(seed, 10);
  nanos last = time_min;
  for (const auto& e : sent.evidence) last = std::max({last, e.from, e.until});
  for (const auto& f : sent.flows)
    last = std::max({last, f.times.opened, f.times.established, f.times.last_received, f.times.closed});
  auto got = receive(std::make_shared<const frame>(rows ? encode_packed(sent) : encode(sent)), incarnation);
  RC_ASSERT(got.has_value());
  RC_ASSERT(std::get<received_batch>(*got).last_stamp() == last);
}

}  // namespace
}  // namespace tenure::wire
