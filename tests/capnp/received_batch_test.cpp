#include "capnp/received_batch.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/capnp/samples.hpp"

namespace tenure::wire {
namespace {

using samples::incarnation;

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
  got.each_flow([&](flow& f) { out.flows.push_back(f); });
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
  RC_ASSERT(samples::describe(said) == samples::describe(*plain));
}

RC_GTEST_PROP(received_batch, is_what_decode_makes_of_it, (std::uint64_t seed)) {
  says_the_same(encode(samples::any_message(seed, 30)));
}

RC_GTEST_PROP(received_batch, refuses_what_decode_refuses, (std::uint64_t seed)) {
  auto f = encode(samples::any_batch(seed, 5));
  for (int n = *rc::gen::inRange(1, 4); n > 0; --n)
    f[*rc::gen::inRange<std::size_t>(0, f.size())] ^= std::uint64_t{1} << *rc::gen::inRange(0, 64);
  says_the_same(f);
}

RC_GTEST_PROP(received_batch, knows_its_latest_stamp, (std::uint64_t seed)) {
  const auto sent = samples::any_batch(seed, 10);
  nanos last = time_min;
  for (const auto& e : sent.evidence) last = std::max({last, e.from, e.until});
  for (const auto& f : sent.flows)
    last = std::max({last, f.times.opened, f.times.established, f.times.last_received, f.times.closed});
  auto got = receive(std::make_shared<const frame>(encode(sent)), incarnation);
  RC_ASSERT(got.has_value());
  RC_ASSERT(std::get<received_batch>(*got).last_stamp() == last);
}

}  // namespace
}  // namespace tenure::wire
