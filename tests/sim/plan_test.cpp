#include "sim/plan.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/lifetimes.hpp"
#include "sim/scenario_file.hpp"
#include "sim/world.hpp"

namespace tenure::sim {
namespace {

plan_inputs drawn() {
  plan_inputs in;
  in.lifetimes = scaled(container_lifetimes(), *rc::gen::inRange(1, 100) / 100.0);
  in.unreported = *rc::gen::inRange(0, 101) / 100.0;
  in.heartbeat = *rc::gen::inRange<nanos>(0, 120) * second;
  in.heartbeat_loss = *rc::gen::inRange(0, 90) / 100.0;
  in.evidence_error = *rc::gen::inRange<nanos>(0, 2000) * millisecond;
  in.flow_error = *rc::gen::inRange<nanos>(0, 2000) * millisecond;
  return in;
}

RC_GTEST_PROP(plan, loses_by_everything_that_is_worse, ()) {
  const auto in = drawn();
  const double coverage = planned_coverage(in);
  RC_ASSERT(coverage >= 0 && coverage <= 1);
  auto worse = in;
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      worse.heartbeat += 10 * second;
      break;
    case 1:
      worse.evidence_error += second;
      break;
    case 2:
      worse.heartbeat_loss += 0.05;
      break;
    default:
      worse.unreported = 1;
  }
  RC_ASSERT(planned_coverage(worse) <= coverage + 1e-12);
}

RC_GTEST_PROP(plan, the_heartbeat_it_names_is_enough_and_a_slower_one_is_not, ()) {
  auto in = drawn();
  const double wanted = 0.5 + *rc::gen::inRange(0, 499) / 1000.0;
  const auto h = heartbeat_for(wanted, in);
  in.heartbeat = 0;
  RC_ASSERT(h.has_value() == (planned_coverage(in) >= wanted));
  if (!h) return;
  in.heartbeat = *h;
  RC_ASSERT(planned_coverage(in) >= wanted);
  in.heartbeat = *h + 2 * millisecond;
  RC_ASSERT(*h >= 86'400 * second || planned_coverage(in) < wanted);
}

// Held against the production actors, on flows that are short and always answered.
TEST(plan, is_what_the_simulator_measures) {
  for (const double unreported : {0.0, 0.5, 1.0})
    for (const nanos heartbeat : {5 * second, 20 * second}) {
      auto source = scenario_source::read(TENURE_SOURCE_DIR "/config/scenarios/coverage.toml");
      ASSERT_TRUE(source) << source.error().text;
      auto s = source->make(1);
      s.horizon = 900 * second;
      s.fleet.instances = 40;
      s.fleet.addresses = 50;
      s.fleet.unseen_share = unreported;
      s.cluster.heartbeat = heartbeat;
      const auto r = run(s, 1);
      EXPECT_EQ(r.violation_count, 0U);
      plan_inputs in;
      in.lifetimes = s.fleet.lifetimes;
      in.unreported = unreported;
      in.heartbeat = heartbeat;
      in.evidence_error =
          static_cast<nanos>(1e9 * r.errors.evidence_seconds / static_cast<double>(r.errors.evidence));
      in.flow_error = static_cast<nanos>(1e9 * r.errors.flow_seconds / static_cast<double>(r.errors.flows));
      const double measured =
          static_cast<double>(r.answers.attributed) / static_cast<double>(r.answers.flows);
      EXPECT_NEAR(measured, planned_coverage(in), 0.02) << unreported << ", " << heartbeat / second << " s";
    }
}

}  // namespace
}  // namespace tenure::sim
