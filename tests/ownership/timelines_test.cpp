#include "ownership/timelines.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "properties/history.hpp"
#include "properties/naive.hpp"
#include "properties/show.hpp"
#include "tests/ownership/generators.hpp"

namespace tenure {
namespace {

evidence held(std::uint32_t host, std::uint64_t tenancy, nanos from, nanos until) {
  return {{address::v4(host), 0},
          {1, tenancy},
          workload_id{static_cast<std::uint32_t>(tenancy % 7 + 1)},
          from,
          until,
          0,
          0};
}

flow_times window(nanos first, nanos last) {
  return {first, first, last, last, 0, 0, true};
}

RC_GTEST_PROP(Timelines, LongOnesAnswerAsTheNaiveRuleDoes, ()) {
  history::dice d(*rc::gen::arbitrary<std::uint64_t>());
  std::vector<evidence> all;
  for (std::uint64_t n = 0; n < 400; ++n) {
    auto e = held(0x0a00'0001, n, d.below(300), 0);
    e.until = e.from + d.below(6);
    e.workload = workload_id{static_cast<std::uint32_t>(1 + d.below(2))};
    e.endpoint.port = d.one_of<std::uint16_t>({0, 443, 443, 80});
    e.until_error = d.below(3);
    all.push_back(e);
  }
  timelines known;
  std::vector<evidence> merged_so_far;
  for (const auto& e : all) {
    known.merge(e);
    merged_so_far.push_back(e);
    if (merged_so_far.size() % 100 != 0) continue;
    // So often that an index is made; and then there is more evidence, which it must not hide.
    for (int i = 0; i < 20; ++i) {
      flow_times t = window(d.below(300), 0);
      t.last_received = t.closed = t.established + d.below(4);
      t.error = d.below(2);
      t.is_established = d.chance(70);
      RC_ASSERT(known.resolve(generators::here, 443, t) ==
                naive::resolve(merged_so_far, generators::here, 443, t));
    }
  }
}

// The rule compares instants and nothing else: in steps of any length its answers are those of single ones.
evidence in_steps(evidence e, nanos step) {
  for (nanos* n : {&e.from, &e.until, &e.from_error, &e.until_error}) *n *= step;
  return e;
}
flow_times in_steps(flow_times t, nanos step) {
  for (nanos* n : {&t.opened, &t.established, &t.last_received, &t.closed}) *n *= step;
  if (t.error != unknown_error) t.error *= step;
  return t;
}

// Steps that are not told apart at a glance, some that are now and then, and some that always are.
RC_GTEST_PROP(Timelines, InBatchesTheAnswersAreTheSame, ()) {
  history::dice d(*rc::gen::arbitrary<std::uint64_t>());
  const auto step = d.one_of<nanos>({1, 5'000'000, 40'000'000});
  std::vector<evidence> all;
  std::vector<evidence> stepped;
  for (std::uint64_t n = 0; n < 300; ++n) {
    const nanos from = d.below(50);
    auto e = held(static_cast<std::uint32_t>(d.below(60)), d.below(200), from, from + d.below(20));
    e.endpoint.port = d.one_of<std::uint16_t>({0, 0, 443, 80});
    e.until_error = d.below(3);
    all.push_back(e);
    stepped.push_back(in_steps(e, step));
  }
  timelines one_by_one;
  timelines in_batches;
  std::vector<merged> results(all.size());
  in_batches.merge(stepped, results);
  for (std::size_t i = 0; i < all.size(); ++i) RC_ASSERT(one_by_one.merge(stepped[i]) == results[i]);
  RC_ASSERT(one_by_one.addresses() == in_batches.addresses());
  RC_ASSERT(one_by_one.tenancies() == in_batches.tenancies());
  std::vector<question> questions;
  std::vector<verdict> expected;
  for (int i = 0; i < 200; ++i) {
    const nanos at = d.below(70);
    auto t = window(at, at + d.below(5));
    t.error = d.one_of<nanos>({0, 0, 1, unknown_error});
    t.is_established = d.chance(70);
    const auto far = address::v4(static_cast<std::uint32_t>(d.below(70)));
    questions.push_back({far, 443, in_steps(t, step)});
    expected.push_back(naive::resolve(all, far, 443, t));
  }
  std::vector<verdict> verdicts(questions.size());
  in_batches.resolve(questions, verdicts);
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto& q = questions[i];
    RC_ASSERT(verdicts[i] == one_by_one.resolve(q.far, q.far_port, q.times));
    RC_ASSERT(verdicts[i] == expected[i]);
  }
}

// A window from the first instant that there is to the last one, which an unknown error leaves two instants
// of.
TEST(Timelines, AnUnknownErrorIsNotAnsweredInBatchesEither) {
  timelines known;
  known.merge(held(1, 1, -100, 100));
  const std::vector<question> asked{
      {address::v4(1), 443, {time_min, time_min, time_max, time_max, 0, unknown_error, true}}};
  std::vector<verdict> verdicts(1);
  known.resolve(asked, verdicts);
  EXPECT_EQ(verdicts[0], unattributed(reason::clock));
}

// The guard of bounded memory: whatever is forgotten, refused for its age or for want of room, answers only
// get fewer.
RC_GTEST_PROP(Timelines, ForgettingNeverGivesAnotherAnswer, ()) {
  const auto seed = *rc::gen::arbitrary<std::uint64_t>();
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto h = history::make(seed + i);
    history::dice d(seed ^ i);
    timelines all;
    timelines bounded(static_cast<std::size_t>(1'000 + d.below(1'000)));
    for (const auto& e : h.evidence) {
      all.merge(e);
      bounded.merge(e);
      if (d.chance(20)) bounded.forget_before(d.below(50));
    }
    for (const auto& f : h.flows) {
      const auto less = bounded.resolve(history::where, f.far_port, f.times);
      if (less.attributed()) RC_ASSERT(less == all.resolve(history::where, f.far_port, f.times));
    }
  }
}

// Blocks of memory move whenever another one of their size is given back: nothing may get lost or mixed up.
RC_GTEST_PROP(Timelines, KeepEachAddressApartHoweverTheyGrowAndForget, ()) {
  history::dice d(*rc::gen::arbitrary<std::uint64_t>());
  timelines known;
  std::map<std::pair<address, tenancy_id>, interval> expected;
  nanos forgotten = time_min;
  for (int step = 0; step < 3'000; ++step) {
    // Some addresses have one tenancy, some have many.
    const auto host = static_cast<std::uint32_t>(d.below(10) * d.below(10));
    const auto tenancy = static_cast<std::uint64_t>(d.below(d.chance(80) ? 6 : 40));
    const auto e = held(host, tenancy, step, step + 1 + d.below(50));
    if (e.until >= forgotten) {
      auto& hull = expected.try_emplace({e.endpoint.address, e.tenancy}, e.core()).first->second;
      hull = {std::min(hull.from, e.from), std::max(hull.until, e.until)};
    }
    RC_ASSERT((known.merge(e) == merged::too_old) == (e.until < forgotten));
    if (step % 500 != 499) continue;
    forgotten = step - d.below(300);
    known.forget_before(forgotten);
    std::erase_if(expected, [forgotten](const auto& each) { return each.second.until < forgotten; });
    RC_ASSERT(known.tenancies() == expected.size());
    for (const auto& [key, hull] : expected) {
      const auto holdings = known.holdings({key.first, 0});
      RC_ASSERT(std::any_of(holdings.begin(), holdings.end(), [&key, &hull](const holding& h) {
        return h.tenancy == key.second && h.said == hull && h.sure == hull;
      }));
    }
  }
}

// As agents report: all they hold in the order of the first time, again and again, some of it left out by and
// by, new tenancies among it, and what others hold in between.
RC_GTEST_PROP(Timelines, HeartbeatsInOrderAreMergedAsEachOneAlone, ()) {
  history::dice d(*rc::gen::arbitrary<std::uint64_t>());
  std::vector<evidence> all;
  for (nanos round = 0; round < 12; ++round)
    for (std::uint32_t agent = 0; agent < 3; ++agent) {
      const auto from_end = d.chance(10);
      for (std::uint32_t n = 0; n < 40; ++n) {
        if (d.chance(5)) continue;
        const auto host = agent * 1'000 + (from_end ? 39 - n : n) * 7;
        const auto tenancy = host * 10 + d.below(round < 6 ? 2 : 3);
        all.push_back(held(host, static_cast<std::uint64_t>(tenancy), 0, 10 * (round + 1)));
        if (d.chance(3))
          all.push_back(held(static_cast<std::uint32_t>(5'000 + d.below(50)), 7, 0, round + 1));
      }
    }
  timelines one_by_one;
  timelines in_batches;
  const auto size = static_cast<std::size_t>(1 + d.below(200));
  for (std::size_t start = 0; start < all.size(); start += size) {
    const auto part = std::span<const evidence>(all).subspan(start, std::min(size, all.size() - start));
    std::vector<merged> results(part.size());
    in_batches.merge(part, results);
    for (std::size_t i = 0; i < part.size(); ++i) RC_ASSERT(one_by_one.merge(part[i]) == results[i]);
    if (!d.chance(20)) continue;
    // Which moves addresses into the places of those that go.
    const auto cutoff = d.below(60);
    RC_ASSERT(one_by_one.forget_before(cutoff) == in_batches.forget_before(cutoff));
  }
  RC_ASSERT(one_by_one.addresses() == in_batches.addresses());
  RC_ASSERT(one_by_one.tenancies() == in_batches.tenancies());
  for (const auto& e : all)
    RC_ASSERT(one_by_one.holdings(e.endpoint.address) == in_batches.holdings(e.endpoint.address));
}

// So many that their entries take several huge pages, and the directory grows while others are on their way.
TEST(Timelines, ManyAddressesKeepTheirOwnTenanciesAsTheyComeAndGo) {
  constexpr std::uint32_t hosts = 80'000;
  timelines known;
  std::vector<evidence> all;
  for (std::uint32_t n = 0; n < 2 * hosts; ++n) {
    const std::uint32_t host = n * 7'919 % hosts;
    // Each comes twice; every second one, much later, for longer.
    all.push_back(held(host, host + 1, 0, n < hosts || host % 2 == 0 ? 100 : 200));
  }
  std::vector<merged> results(all.size());
  known.merge(all, results);
  EXPECT_EQ(std::count(results.begin(), results.end(), merged::changed), hosts + hosts / 2);
  EXPECT_EQ(known.addresses(), hosts);
  EXPECT_EQ(known.tenancies(), hosts);
  const auto before = known.bytes();
  std::vector<question> questions;
  for (std::uint32_t host = 0; host < hosts; ++host)
    questions.push_back({address::v4(host), 443, window(50, 60)});
  std::vector<verdict> verdicts(questions.size());
  known.resolve(questions, verdicts);
  for (std::uint32_t host = 0; host < hosts; ++host) ASSERT_EQ(verdicts[host].tenancy.sequence, host + 1);
  EXPECT_EQ(known.forget_before(150), hosts / 2);
  EXPECT_EQ(known.addresses(), hosts / 2);
  EXPECT_LT(known.bytes(), before * 2 / 3);
  known.resolve(questions, verdicts);
  for (std::uint32_t host = 0; host < hosts; ++host)
    ASSERT_EQ(verdicts[host].tenancy.sequence, host % 2 == 0 ? 0 : host + 1);
}

TEST(Timelines, ForgetWhatEndedAndRefuseWhatIsOlder) {
  timelines known;
  for (std::uint32_t host = 0; host < 1'000; ++host) {
    known.merge(held(host, 2 * host, 0, 100));
    known.merge(held(host, 2 * host + 1, 100, 200 + host));
  }
  EXPECT_EQ(known.tenancies(), 2'000U);
  const auto before = known.bytes();
  EXPECT_EQ(known.forget_before(101), 1'000U);
  EXPECT_EQ(known.tenancies(), 1'000U);
  EXPECT_EQ(known.addresses(), 1'000U);
  EXPECT_EQ(known.resolve(address::v4(7), 443, window(10, 50)), unattributed(reason::before_first));
  EXPECT_TRUE(known.resolve(address::v4(7), 443, window(110, 150)).attributed());
  EXPECT_EQ(known.merge(held(7, 14, 0, 100)), merged::too_old);
  EXPECT_EQ(known.merge(held(7, 15, 100, 150)), merged::unchanged);
  EXPECT_EQ(known.forget_before(50), 0U) << "what was forgotten stays forgotten";
  EXPECT_EQ(known.forget_before(1'000), 800U);
  EXPECT_EQ(known.addresses(), 200U);
  EXPECT_EQ(known.resolve(address::v4(7), 443, window(110, 150)), unattributed(reason::no_evidence));
  EXPECT_TRUE(known.resolve(address::v4(900), 443, window(110, 150)).attributed());
  EXPECT_EQ(known.forget_before(time_max), 200U);
  EXPECT_EQ(known.addresses(), 0U);
  EXPECT_LT(known.bytes(), before / 10);
}

TEST(Timelines, BeyondTheBoundNewTenanciesAreRefusedAndKnownOnesGrow) {
  timelines known(16'000);
  std::uint32_t host = 0;
  while (known.merge(held(host, 1, 0, 100)) == merged::changed) ++host;
  EXPECT_GT(host, 50U);
  EXPECT_LT(known.bytes(), 20'000U);
  EXPECT_EQ(known.merge(held(host, 1, 0, 100)), merged::no_room);
  EXPECT_EQ(known.merge(held(0, 1, 0, 200)), merged::changed);
  EXPECT_EQ(known.merge(held(0, 2, 0, 200)), merged::no_room);
  EXPECT_EQ(known.cutoff_for(0.5), 100);
  EXPECT_EQ(known.forget_before(101), host - 1);
  EXPECT_EQ(known.merge(held(host, 1, 0, 200)), merged::changed);
}

}  // namespace
}  // namespace tenure
