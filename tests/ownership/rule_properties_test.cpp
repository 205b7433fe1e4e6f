#include <algorithm>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ownership/timelines.hpp"
#include "properties/naive.hpp"
#include "properties/show.hpp"
#include "tests/ownership/generators.hpp"

namespace tenure {
namespace {

using generators::here;
using generators::much_evidence;
using generators::port;
using generators::some_times;

rc::Gen<nanos> small_step() {
  return rc::gen::resize(rc::kNominalSize, rc::gen::inRange<nanos>(0, 5));
}

timelines knowing(const std::vector<evidence>& all) {
  timelines t;
  for (const auto& e : all) t.merge(e);
  return t;
}

std::vector<flow_times> many_times() {
  return *rc::gen::container<std::vector<flow_times>>(20, some_times());
}

// What an answer may become as evidence is added: it stays, or two workloads are found to qualify.
bool may_become(const verdict& less, const verdict& more) {
  if (!less.attributed()) return less.reason != reason::conflict || more.reason == reason::conflict;
  return more.workload == less.workload || more.reason == reason::conflict;
}

RC_GTEST_PROP(RuleProperties, AgreesWithTheNaiveOne, ()) {
  const auto all = *much_evidence();
  const auto known = knowing(all);
  for (const auto& times : many_times()) {
    const auto far_port = *rc::gen::elementOf(std::vector<std::uint16_t>{port, 80, 0, 7});
    RC_ASSERT(known.resolve(here, far_port, times) == naive::resolve(all, here, far_port, times));
  }
}

TEST(RuleProperties, TheGeneratorsReachEveryAnswer) {
  std::map<reason, int> seen;
  rc::Random random(1);
  for (int i = 0; i < 2000; ++i) {
    const auto all = much_evidence()(random.split(), rc::kNominalSize).value();
    const auto times = some_times()(random.split(), rc::kNominalSize).value();
    ++seen[knowing(all).resolve(here, port, times).reason];
  }
  for (const auto r : {reason::none, reason::conflict, reason::no_evidence, reason::clock,
                       reason::before_first, reason::after_last, reason::between})
    EXPECT_GE(seen[r], 20) << to_string(r);
}

RC_GTEST_PROP(RuleProperties, OrderAndRepetitionOfEvidenceChangeNothing, ()) {
  const auto all = *much_evidence();
  auto other = all;
  if (!all.empty())
    for (const auto index :
         *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(0, all.size())))
      other.push_back(all[index]);
  const auto order =
      *rc::gen::container<std::vector<std::uint32_t>>(other.size(), rc::gen::arbitrary<std::uint32_t>());
  std::vector<std::size_t> places(other.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::stable_sort(places.begin(), places.end(), [&](auto a, auto b) { return order[a] < order[b]; });
  timelines shuffled;
  for (const auto i : places) shuffled.merge(other[i]);
  const auto straight = knowing(all);
  for (const auto far_port : {std::uint16_t{0}, port, std::uint16_t{80}}) {
    RC_ASSERT(straight.holdings({here, far_port}) == shuffled.holdings({here, far_port}));
  }
}

RC_GTEST_PROP(RuleProperties, MergingTwiceChangesNothing, ()) {
  const auto all = *much_evidence();
  auto known = knowing(all);
  for (const auto& e : all) RC_ASSERT(known.merge(e) == merged::unchanged);
}

RC_GTEST_PROP(RuleProperties, AnAnswerNeverBecomesAnotherAsEvidenceIsAdded, ()) {
  const auto all = *much_evidence();
  const auto times = many_times();
  timelines known;
  std::vector<verdict> before(times.size(), unattributed(reason::no_evidence));
  for (const auto& e : all) {
    known.merge(e);
    for (std::size_t i = 0; i < times.size(); ++i) {
      const auto now = known.resolve(here, port, times[i]);
      RC_ASSERT(may_become(before[i], now));
      before[i] = now;
    }
  }
}

RC_GTEST_PROP(RuleProperties, EverySubsetGivesTheFullAnswerOrNone, ()) {
  const auto all = *much_evidence();
  std::vector<evidence> some;
  for (const auto& e : all)
    if (*rc::gen::arbitrary<bool>()) some.push_back(e);
  const auto full = knowing(all);
  const auto part = knowing(some);
  for (const auto& times : many_times()) {
    const auto whole_answer = full.resolve(here, port, times);
    const auto part_answer = part.resolve(here, port, times);
    RC_ASSERT(may_become(part_answer, whole_answer));
  }
}

RC_GTEST_PROP(RuleProperties, LargerErrorsOnlyLoseCoverage, ()) {
  const auto all = *much_evidence();
  auto unsure = all;
  for (auto& e : unsure) {
    e.from_error = saturating_add(e.from_error, *small_step());
    e.until_error = saturating_add(e.until_error, *small_step());
  }
  const auto sharp = knowing(all);
  const auto blurred = knowing(unsure);
  for (const auto& times : many_times())
    RC_ASSERT(may_become(blurred.resolve(here, port, times), sharp.resolve(here, port, times)));
}

RC_GTEST_PROP(RuleProperties, ALargerErrorOfTheFlowOnlyLosesCoverage, ()) {
  const auto known = knowing(*much_evidence());
  for (const auto& times : many_times()) {
    auto unsure = times;
    unsure.error = saturating_add(times.error, *small_step());
    unsure.transit += *small_step();
    // Without the order of a real flow's stamps the window and the span of the opening have nothing in
    // common.
    if (times.opened > times.established) continue;
    RC_ASSERT(may_become(known.resolve(here, port, unsure), known.resolve(here, port, times)));
  }
}

RC_GTEST_PROP(RuleProperties, EvidenceInPiecesProvesNoMoreThanWhole, ()) {
  // Cut in two at one instant that both parts state without error: no instant is lost or gained.
  auto e = *generators::some_evidence();
  RC_PRE(e.until > e.from && e.from_error != unknown_error && e.until_error != unknown_error);
  RC_PRE(!e.core().empty());
  const nanos cut = *rc::gen::inRange<nanos>(e.core().from, e.core().until + 1);
  auto left = e;
  auto right = e;
  left.until = right.from = cut;
  left.until_error = right.from_error = 0;
  const auto whole = knowing({e});
  const auto parts = knowing({right, left});
  for (const auto& times : many_times())
    RC_ASSERT(whole.resolve(here, port, times).workload == parts.resolve(here, port, times).workload);
}

RC_GTEST_PROP(RuleProperties, NoTimeAndNoErrorOverflows, ()) {
  const auto extreme = rc::gen::oneOf(
      rc::gen::elementOf(std::vector<nanos>{time_min, time_min + 1, -1, 0, 1, time_max - 1, time_max}),
      rc::gen::arbitrary<nanos>());
  const auto extreme_error = rc::gen::map(extreme, [](nanos n) { return n < 0 ? ~n : n; });
  auto all = *much_evidence();
  for (auto& e : all) {
    e.from = *extreme;
    e.until = *extreme;
    e.from_error = *extreme_error;
    e.until_error = *extreme_error;
  }
  const auto known = knowing(all);
  for (auto times : many_times()) {
    times.opened = *extreme;
    times.established = *extreme;
    times.last_received = *extreme;
    times.closed = *extreme;
    times.transit = *extreme_error;
    times.error = *extreme_error;
    const auto answer = known.resolve(here, port, times);
    // An instant below the first or above the last that can be said is held by nobody.
    if (answer.attributed() && !times.is_established) {
      RC_ASSERT(times.error < unknown_error);
      RC_ASSERT(std::min(times.opened, times.closed) > time_min + times.error);
      RC_ASSERT(std::max({times.opened, times.closed, times.last_received}) < time_max - times.error);
    }
  }
}

}  // namespace
}  // namespace tenure
