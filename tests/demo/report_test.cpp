#include <algorithm>
#include <sstream>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "demo/verdict_report.hpp"
#include "demo/view.hpp"

namespace tenure::demo {
namespace {

run_report good() {
  run_report r;
  r.counts.flows = 100;
  r.counts.attributed = 99;
  r.counts.both_named = 99;
  r.counts.unattributed["between"] = 1;
  r.counts.current_owner_misattributed = 40;
  r.kernel_events_lost = 0;
  r.ends_told = 100;
  r.seconds = 10;
  r.seed = 7;
  return r;
}

TEST(Verdict, IsGoodOnlyWhenNothingIsWrong) {
  EXPECT_TRUE(faults(good()).empty());
  const auto spoilt = [](auto spoil) {
    auto r = good();
    spoil(r);
    return faults(r).size();
  };
  EXPECT_EQ(spoilt([](auto& r) { r.counts.misattributed = 1; }), 1U);
  EXPECT_EQ(spoilt([](auto& r) { r.lost = 1; }), 1U);
  EXPECT_EQ(spoilt([](auto& r) { r.lost_orphans = r.ends_told / 200; }), 0U);
  EXPECT_EQ(spoilt([](auto& r) { r.lost_orphans = r.ends_told / 200 + 1; }), 1U);
  EXPECT_EQ(spoilt([](auto& r) { r.counts.unexplained = 1; }), 1U);
  EXPECT_EQ(spoilt([](auto& r) { r.counts.unreadable = 1; }), 1U);
  EXPECT_EQ(spoilt([](auto& r) { r.counts.flows = 0; }), 1U);
  EXPECT_EQ(spoilt([](auto& r) { r.kernel_events_lost.reset(); }), 1U);
}

TEST(Verdict, HasTheKeysThatToolsRelyOn) {
  auto r = good();
  r.lost = 2;
  r.counts.misattributed = 3;
  const auto j = nlohmann::json::parse(to_json(r));
  EXPECT_EQ(j["flows"], 100);
  EXPECT_EQ(j["attributed"], 99);
  EXPECT_EQ(j["unattributed"]["between"], 1);
  EXPECT_EQ(j["misattributed"], 3);
  EXPECT_EQ(j["lost"], 2);
  EXPECT_EQ(j["kernel_events_lost"], 0);
  EXPECT_EQ(j["baselines"]["current_owner"]["misattributed"], 40);
  EXPECT_DOUBLE_EQ(j["both_named_share"], 0.99);
}

TEST(Verdict, SaysInWordsWhatIsWrong) {
  EXPECT_NE(to_table(good(), false).find("Right"), std::string::npos);
  EXPECT_EQ(to_table(good(), false).find('\x1b'), std::string::npos);
  EXPECT_NE(to_table(good(), true).find('\x1b'), std::string::npos);
  auto r = good();
  r.counts.misattributed = 3;
  EXPECT_NE(to_table(r, false).find("FAILED: 3 flows"), std::string::npos);
  EXPECT_EQ(to_table(r, false).find("Right"), std::string::npos);
}

TEST(View, StaysWithinTheTerminal) {
  tally counts;
  counts.flows = 12345;
  for (int i = 0; i < 40; ++i) counts.dependencies[{"w" + std::to_string(i), std::string(60, 'x')}] = 1;
  fleet_counters churn;
  std::deque<done_handover> recent(12);
  const pool p(0, 24);
  const view_state v{counts, churn, recent, p};
  for (const std::size_t width : {1U, 40U, 80U, 200U}) {
    for (const std::size_t height : {1U, 5U, 24U, 60U}) {
      std::istringstream lines(render_view(v, width, height));
      std::size_t count = 0;
      for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), width);
      EXPECT_LE(count, height);
    }
  }
  const auto progress = render_progress(v);
  EXPECT_EQ(std::count(progress.begin(), progress.end(), '\n'), 1);
  EXPECT_NE(progress.find("12345 flows"), std::string::npos);
}

TEST(View, ShowsWhoHadAnAddressAndWhatTheCurrentOwnerGetsWrong) {
  tally counts;
  counts.current_owner_mistakes[5] = 17;
  fleet_counters churn;
  const std::deque<done_handover> recent{
      {3, 5, 6, 0, 1, death::vanish, succession::other, second, 2 * millisecond}};
  const pool p(0, 24);
  view_state v{counts, churn, recent, p};
  v.now = 3 * second;
  const auto text = render_view(v, 200, 40);
  for (const auto* part : {"198.18.0.13", "gateway", "vanished", "checkout", "17 flows", "2.0 ms"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

}  // namespace
}  // namespace tenure::demo
