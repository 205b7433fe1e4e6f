#include "sim/sweep.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sim/presets.hpp"
#include "sim/sweep_report.hpp"
#include "sim/sweep_table.hpp"

namespace tenure::sim {
namespace {

sweep_axis axis(const std::string& text, bool alone = false) {
  return parse_axis(text, alone).value();
}

sweep made(std::vector<sweep_axis> axes, std::uint64_t seeds = 1) {
  auto source = scenario_source::plain("small");
  EXPECT_TRUE(source.set("fleet.instances", "10"));
  EXPECT_TRUE(source.set("horizon", "60s"));
  auto s = sweep::make(std::move(source), std::move(axes), 1, seeds);
  EXPECT_TRUE(s) << s.error().text;
  return *std::move(s);
}

/// Rows that say which run they are of, without running it.
report stand_in(std::uint64_t flows, std::uint64_t wrong_events = 0) {
  report r;
  r.answers.flows = flows;
  r.answers.attributed = flows / 2;
  r.answers.unattributed["clock"] = flows - flows / 2;
  for (const auto* name : {"events", "current-owner", "name-range"})
    r.baselines[name] = {flows, flows, 0, 4, 0};
  r.baselines["events"].misattributed = wrong_events;
  r.hash = 17;
  return r;
}

void fill(sweep_table& t, const sweep& s, std::size_t run, const report& r) {
  t.add(run, sweep_cells(s, s.runs()[run], r, r.baselines));
}

RC_GTEST_PROP(sweep, runs_each_point_of_the_grid_once_with_each_seed, ()) {
  const auto count = [] { return *rc::gen::inRange<std::size_t>(0, 4); };
  const std::size_t gaps = count();
  const std::size_t losses = count();
  const std::size_t holds = count();
  const auto seeds = *rc::gen::inRange<std::uint64_t>(1, 4);
  std::vector<sweep_axis> axes;
  const auto add = [&](const char* key, std::size_t n, const char* unit, bool alone) {
    if (n == 0) return;
    sweep_axis a{key, {key}, {}, alone};
    for (std::size_t i = 0; i < n; ++i) a.values.push_back(std::to_string(i + 1) + unit);
    axes.push_back(a);
  };
  add("fleet.reuse_gap", gaps, "s", false);
  add("baselines.delay", losses, "s", true);
  add("cluster.hold", holds, "s", true);
  const auto s = made(axes, seeds);
  RC_ASSERT(s.runs().size() == std::max<std::size_t>(gaps, 1) * (1 + losses + holds) * seeds);
  std::set<std::pair<std::vector<std::string>, std::uint64_t>> seen;
  for (const auto& r : s.runs()) RC_ASSERT(seen.emplace(r.cells, r.seed).second);
}

TEST(sweep, sets_what_its_cells_say_and_moves_joined_keys_together) {
  const auto s = made({axis("network.loss+baselines.loss=0,0.25"), axis("fleet.reuse_gap=30s", true)});
  ASSERT_EQ(s.runs().size(), 4U);
  const auto last = s.scenario_of(s.runs()[3]);
  EXPECT_EQ(last.network.loss, 0.25);
  EXPECT_EQ(last.baselines.loss, 0.25);
  EXPECT_EQ(last.fleet.reuse_gap, 30 * second);
  EXPECT_EQ(s.scenario_of(s.runs()[2]).fleet.reuse_gap, 0);
  EXPECT_EQ(s.settings_of(s.runs()[3]),
            (std::vector<std::string>{"network.loss=0.25", "baselines.loss=0.25", "fleet.reuse_gap=30s"}));
}

TEST(sweep, lets_a_preset_be_varied_and_overruled) {
  const auto s = made({axis("fleet.reuse_gap=5s"), axis("preset=gap-0,gap-120")});
  for (const auto& r : s.runs()) EXPECT_EQ(s.scenario_of(r).fleet.reuse_gap, 5 * second);
}

TEST(sweep, shares_a_world_among_runs_that_differ_in_what_baselines_are_told) {
  const auto s =
      made({axis("baselines.delay=0s,1m,5m"), axis("baselines.loss=0,0.1"), axis("network.loss=0,0.1")}, 2);
  std::vector<std::size_t> all(s.runs().size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  const auto worlds = s.worlds(all);
  EXPECT_EQ(worlds.size(), 4U);  // two losses of the network, two seeds
  for (const auto& w : worlds) EXPECT_EQ(w.runs.size(), 6U);
}

TEST(sweep, refuses_what_it_cannot_run) {
  const auto refused = [](std::vector<sweep_axis> axes, std::uint64_t seeds = 1) {
    const auto s = sweep::make(scenario_source::plain("x"), std::move(axes), 1, seeds);
    return s ? std::string("taken") : s.error().text;
  };
  EXPECT_EQ(refused({axis("fleet.hostts=1")}), "fleet.hostts: there is no such option");
  EXPECT_EQ(refused({axis("fleet.reuse_gap=1s,soon")}), "fleet.reuse_gap: cannot read 'soon'");
  EXPECT_EQ(refused({axis("horizon=60s"), axis("horizon=90s", true)}), "horizon: varied twice");
  EXPECT_EQ(refused({axis("horizon=60s,60s")}), "a value is named twice");
  EXPECT_EQ(refused({}, 0), "--seeds: expected at least 1");
  EXPECT_NE(refused({axis("preset=nowhere")}).find("gap-120"), std::string::npos);
  for (const auto* text : {"", "horizon", "=1", "horizon=", "horizon=1s,,2s", "a+=1", "horizon=\"1s\""})
    EXPECT_FALSE(parse_axis(text, false)) << text;
}

TEST(sweep_table, takes_its_own_rows_back_and_misses_the_others) {
  const auto s = made({axis("fleet.reuse_gap=0s,1s,30s")}, 2);
  sweep_table first(s);
  fill(first, s, 4, stand_in(10));
  fill(first, s, 1, stand_in(20));
  sweep_table again(s);
  ASSERT_TRUE(again.read(first.csv()));
  EXPECT_EQ(again.missing(), (std::vector<std::size_t>{0, 2, 3, 5}));
  EXPECT_EQ(again.csv(), first.csv());
  EXPECT_EQ(again.number(4, "tenure_flows"), 10);
  EXPECT_EQ(again.number(1, "unattributed_clock"), 10);
  EXPECT_EQ(again.cell(1, "seed"), "2");
  EXPECT_EQ(again.cell(1, "engine"), "full");
}

TEST(sweep_table, refuses_rows_of_another_sweep_or_of_a_changed_scenario) {
  const auto s = made({axis("fleet.reuse_gap=0s,1s")});
  sweep_table t(s);
  fill(t, s, 0, stand_in(1));
  const auto csv = t.csv();
  const auto refusal = [&](const sweep& other, const std::string& text) {
    sweep_table fresh(other);
    const auto done = fresh.read(text);
    return done ? std::string("taken") : done.error().text;
  };
  EXPECT_EQ(refusal(s, csv), "taken");
  EXPECT_NE(refusal(made({axis("cluster.hold=10s,20s")}), csv).find("line 1: "), std::string::npos);
  EXPECT_NE(refusal(made({axis("fleet.reuse_gap=1s,2s")}), csv).find("line 2: "), std::string::npos);
  EXPECT_NE(refusal(s, csv + "small,torn\n").find("line 3: "), std::string::npos);
  // The same cells and seed, but another scenario underneath.
  auto source = scenario_source::plain("small");
  ASSERT_TRUE(source.set("fleet.hosts", "3"));
  const auto changed = sweep::make(std::move(source), {axis("fleet.reuse_gap=0s,1s")}, 1, 1);
  EXPECT_NE(refusal(*changed, csv).find("line 2: "), std::string::npos);
}

TEST(sweep_report, pools_the_seeds_and_keeps_the_rest_the_same) {
  const auto s = made({axis("fleet.reuse_gap=30s,1s"), axis("cluster.hold=10s,20s", true)}, 2);
  sweep_table t(s);
  // Runs: gap 30 s as it stands, hold 10 s, hold 20 s; gap 1 s the same; two seeds each.
  for (std::size_t i = 0; i < s.runs().size(); ++i) fill(t, s, i, stand_in(100 * (i + 1), i == 0 ? 30 : 0));
  const auto sections = sweep_sections(s, t);
  ASSERT_EQ(sections.size(), 3U);
  const auto& gaps = sections[0];
  EXPECT_EQ(gaps.axis, "fleet.reuse_gap");
  EXPECT_EQ(gaps.values, (std::vector<std::string>{"1s", "30s"}));
  const auto& events = gaps.figures[1][1];
  EXPECT_DOUBLE_EQ(events.misattribution.value(), 0.1);  // 30 of 100 + 200
  EXPECT_DOUBLE_EQ(events.misattribution.least, 0);
  EXPECT_DOUBLE_EQ(events.misattribution.most, 0.3);
  EXPECT_EQ(gaps.figures[0][0].flows, 700 + 800);
  EXPECT_EQ(sections[1].axis, "cluster.hold");
  EXPECT_EQ(sections[1].fixed, std::vector<std::string>{"fleet.reuse_gap=30s"});
  EXPECT_EQ(sections[2].fixed, std::vector<std::string>{"fleet.reuse_gap=1s"});
  EXPECT_EQ(sections[2].figures[0][0].flows, 900 + 1000);
}

TEST(sweep_report, is_one_page_that_asks_for_nothing) {
  const auto s = made({axis("fleet.lifetimes=0:1s 1:1m,serverless")});
  sweep_table t(s);
  fill(t, s, 0, stand_in(10));
  const auto page = sweep_html(s, t, "tenure sim sweep --set '</script><b>'");
  EXPECT_NE(page.find("Chart.js v"), std::string::npos);
  EXPECT_NE(page.find("MIT License"), std::string::npos);
  EXPECT_EQ(page.find("/*DATA*/"), std::string::npos);
  EXPECT_EQ(page.find("/*CHART*/"), std::string::npos);
  EXPECT_EQ(page.find("</script><b>"), std::string::npos) << "what was typed may not end the script";
  for (const auto* asks : {"<link", " src=", "@import", "url(", "fetch(", "XMLHttpRequest"})
    EXPECT_EQ(page.find(asks), std::string::npos) << asks;
}

TEST(preset, each_sets_options_that_there_are_and_can_be_run) {
  for (const auto& p : presets()) {
    auto source = scenario_source::plain(std::string{p.name});
    ASSERT_TRUE(source.set("preset", std::string{p.name})) << p.name;
    ASSERT_TRUE(source.set("horizon", "120s"));
    const auto r = run(source.make(1), 1);
    EXPECT_EQ(r.violation_count, 0U) << p.name;
    EXPECT_EQ(r.answers.misattributed, 0U) << p.name;
    EXPECT_GT(r.answers.attributed, 100U) << p.name;
  }
}

TEST(preset, same_again_gives_the_address_back_to_the_same_workload) {
  scenario s;
  s.fleet.lifetimes = {{1, 5 * second}};
  s.fleet.same_again_share = 1;
  const auto r = run(s, 1);
  EXPECT_EQ(r.violation_count, 0U);
  // Nobody else ever holds the address: whoever goes by names errs only where nobody held it for a moment.
  EXPECT_GT(r.instances, 10 * s.fleet.instances);
  EXPECT_LT(r.baselines.at("name-range").misattributed, r.answers.flows / 100);
  EXPECT_GT(r.answers.attributed, 1000U);
}

}  // namespace
}  // namespace tenure::sim
