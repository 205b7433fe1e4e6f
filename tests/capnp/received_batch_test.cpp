#include "capnp/received_batch.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/capnp/samples.hpp"

namespace tenure::wire {
namespace {

using samples::incarnation;

/// What was received with everything taken out of the frame: it should be what `decode` makes of it.
message whole(std::variant<message, received_batch> got) {
  if (auto* m = std::get_if<message>(&got)) return std::move(*m);
  auto& b = std::get<received_batch>(got);
  batch out = std::move(b.tables);
  b.tables.workloads = out.workloads;
  b.tables.tenancies = out.tenancies;
  b.tables.number = out.number;
  b.tables.dialled = out.dialled;
  b.each_flow([&](flow& f) { out.flows.push_back(f); });
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
  RC_ASSERT(samples::describe(whole(std::move(*kept))) == samples::describe(*plain));
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
  RC_ASSERT(std::get<received_batch>(*got).last_stamp == last);
}

}  // namespace
}  // namespace tenure::wire
