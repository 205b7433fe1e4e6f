// The two weeks of docs/simulation.md in four hours: the same gateway, with shorter lives so that as much
// happens.
#include <gtest/gtest.h>

#include "sim/scenario_file.hpp"
#include "sim/world.hpp"

namespace tenure::sim {
namespace {

TEST(gateway, has_false_dependencies_by_late_and_lost_events_and_none_by_tenancies) {
  auto source = scenario_source::read(TENURE_SOURCE_DIR "/config/scenarios/netflix-2025.toml");
  ASSERT_TRUE(source) << source.error().text;
  auto s = source->make(1);
  s.horizon = 4 * 3600 * second;
  s.fleet.lifetimes = {{0, 300 * second}, {1, 7200 * second}};
  s.traffic.connect_every = second;
  std::vector<baseline_options> also;
  for (const auto& [delay, loss] : {std::pair{0 * second, 0.0}, {0 * second, 0.1}, {1800 * second, 0.0}}) {
    also.push_back(s.baselines);
    also.back().delay = delay;
    also.back().loss = loss;
  }
  const auto r = run(s, 1, {}, also);
  EXPECT_EQ(r.violation_count, 0U);
  EXPECT_GT(r.answers.flows, 50'000U);
  EXPECT_EQ(r.answers.misattributed, 0U);
  EXPECT_EQ(r.answers.false_dependencies, 0U);
  EXPECT_GE(static_cast<double>(r.answers.attributed), 0.995 * static_cast<double>(r.answers.flows));
  const auto events = [&](std::size_t i) { return r.also_judged.at(i).at("events"); };
  EXPECT_EQ(events(0).false_dependencies, 0U) << "events that are neither late nor lost are the truth";
  EXPECT_GT(events(1).false_dependencies, 0U) << "lost";
  EXPECT_GT(events(2).false_dependencies, 0U) << "late";
  EXPECT_EQ(r.baselines.count("current-owner"), 1U);
}

}  // namespace
}  // namespace tenure::sim
