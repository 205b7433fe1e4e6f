#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sim/report_json.hpp"
#include "sim/report_text.hpp"
#include "sim/swarm.hpp"

namespace tenure::sim {
namespace {

/// A short run in which something of everything happened.
const report& one() {
  static const report r = [] {
    auto s = swarm(3);
    s.horizon = 60 * second;
    auto other = s.baselines;
    other.delay *= 2;
    auto made = run(s, 3, {}, {other});
    made.cpu_seconds = 0.25;
    made.violations.push_back({"I1", 17, "bytes that are no UTF-8: \xff\xfe"});
    ++made.violation_count;
    return made;
  }();
  return r;
}

TEST(report_text, brings_a_whole_report_back) {
  const auto back = report_from(to_text(one()));
  EXPECT_EQ(to_text(back), to_text(one()));
  EXPECT_EQ(back.hash, one().hash);
  EXPECT_EQ(back.answers.unattributed, one().answers.unattributed);
  EXPECT_EQ(back.faults.total(), one().faults.total());
  EXPECT_EQ(back.also_judged.size(), 1U);
  EXPECT_EQ(back.violations.back().what, one().violations.back().what);
}

TEST(report_json, has_the_keys_that_are_promised_with_what_they_mean) {
  report_sum sum;
  sum.add(one());
  sum.add(one());
  sum.total.violations.clear();
  const auto j = nlohmann::json::parse(to_json(sum));
  EXPECT_EQ(j.at("scenario"), one().scenario);
  EXPECT_EQ(j.at("engine"), "full");
  EXPECT_EQ(j.at("seed"), 3);
  EXPECT_EQ(j.at("runs"), 2);
  EXPECT_EQ(j.at("misattributed"), 0);
  EXPECT_EQ(j.at("flows"), 2 * one().answers.flows);
  EXPECT_EQ(j.at("attributed"), 2 * one().answers.attributed);
  std::uint64_t unattributed = 0;
  for (const auto& [why, n] : j.at("unattributed").items()) unattributed += n.get<std::uint64_t>();
  EXPECT_EQ(j.at("attributed").get<std::uint64_t>() + unattributed, j.at("flows").get<std::uint64_t>());
  EXPECT_EQ(j.at("dependencies").at("reported"), 2 * one().answers.dependencies);
  EXPECT_EQ(j.at("dependencies").at("false"), 0);
  for (const auto* name : {"events", "current-owner", "name-range"}) {
    const auto& b = j.at("baselines").at(name);
    for (const auto* key : {"flows", "attributed", "unattributed", "misattributed"})
      EXPECT_TRUE(b.at(key).is_number_unsigned()) << name << ' ' << key;
    EXPECT_TRUE(b.at("dependencies").contains("reported"));
    EXPECT_TRUE(b.at("dependencies").contains("false"));
  }
  EXPECT_EQ(j.at("faults").size(), fault_kinds);
  EXPECT_TRUE(j.at("faults").contains("reset_by_next"));
  EXPECT_EQ(j.at("hash").get<std::string>().size(), 16U);
  EXPECT_EQ(j.at("virtual_seconds"), 2 * one().virtual_seconds);
  EXPECT_EQ(j.at("cpu_seconds"), 0.5);
  EXPECT_EQ(j.at("instance_seconds"), 2 * one().instance_seconds);
}

TEST(baselines, are_judged_again_over_the_same_history) {
  auto s = swarm(3);
  s.horizon = 60 * second;
  s.baselines.delay *= 2;
  // What a further set of options came to is what a run of its own with these options comes to.
  const auto own = run(s, 3);
  const auto& also = one().also_judged.at(0);
  for (const auto& [name, b] : own.baselines) {
    EXPECT_EQ(also.at(name).misattributed, b.misattributed) << name;
    EXPECT_EQ(also.at(name).attributed, b.attributed) << name;
  }
}

}  // namespace
}  // namespace tenure::sim
