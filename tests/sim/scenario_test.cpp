#include <filesystem>
#include <fstream>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "sim/lifetimes.hpp"
#include "sim/scenario_file.hpp"
#include "sim/shrink.hpp"
#include "sim/swarm.hpp"
#include "sim/world.hpp"

namespace tenure::sim {
namespace {

struct scenario_file : ::testing::Test {
  std::filesystem::path path =
      std::filesystem::path(::testing::TempDir()) /
      ("scenario-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()) + ".toml");
  outcome<scenario_source> read(const std::string& text) {
    std::ofstream(path) << text;
    return scenario_source::read(path);
  }
  ~scenario_file() override { std::filesystem::remove(path); }
};

TEST_F(scenario_file, sets_what_it_names_and_leaves_the_rest) {
  const auto s =
      read("horizon = \"90s\"\n[fleet]\nhosts = 3\nunseen_share = 0.25\nlifetimes = \"serverless\"\n");
  ASSERT_TRUE(s) << s.error().text;
  const auto made = s->make(1);
  EXPECT_EQ(made.horizon, 90 * second);
  EXPECT_EQ(made.fleet.hosts, 3U);
  EXPECT_EQ(made.fleet.unseen_share, 0.25);
  EXPECT_EQ(made.cluster.hold, scenario{}.cluster.hold);
}

TEST_F(scenario_file, refuses_unknown_keys_and_values_with_file_and_line) {
  const auto key = read("horizon = \"90s\"\n[fleet]\nhostts = 3\n");
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().text, path.string() + ":3: fleet.hostts: there is no such option");
  const auto value = read("horizon = \"90\"\n");
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().text, path.string() + ":1: horizon: cannot read '90'");
  EXPECT_FALSE(read("horizon = ["));
  EXPECT_FALSE(scenario_source::read("/nowhere/at/all.toml"));
}

/// Sets lifetimes from a file with this text. @returns nothing when it is refused.
std::optional<std::vector<quantile>> lives_of(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
  scenario made;
  if (!set_option(made, "fleet.lifetimes", "file:" + file.string())) return std::nullopt;
  return made.fleet.lifetimes;
}

TEST_F(scenario_file, takes_lifetimes_from_a_file_of_measured_ones) {
  const auto lives = lives_of(path, "# seconds of four functions\n30s\n\n500ms\n1.5m\n30s\n");
  ASSERT_TRUE(lives);
  ASSERT_EQ(lives->size(), 5U);
  EXPECT_EQ(lives->front().age, 500 * millisecond);
  EXPECT_EQ(lives->back().share, 1);
  // Each share of the lives lies at or below what was measured, whatever their order in the file.
  EXPECT_NEAR(static_cast<double>(lifetime_at(*lives, 0.25)), 0.5e9, 1);
  EXPECT_NEAR(static_cast<double>(lifetime_at(*lives, 0.6)), 30e9, 1);
  EXPECT_NEAR(static_cast<double>(lifetime_at(*lives, 0.75)), 30e9, 1);
  EXPECT_NEAR(static_cast<double>(lifetime_at(*lives, 1)), 90e9, 1);
}

TEST_F(scenario_file, what_was_measured_is_what_instances_live) {
  const auto lives = lives_of(path, "7s\n");
  ASSERT_TRUE(lives);
  random draw{1};
  for (int i = 0; i < 100; ++i) EXPECT_EQ(draw_lifetime(*lives, draw), 7 * second);
}

TEST_F(scenario_file, refuses_lifetimes_that_are_none) {
  for (const auto* text : {"", "# nothing else\n", "30\n", "30s\nsoon\n", "0s\n", "-1s\n", "30s 40s\n"})
    EXPECT_FALSE(lives_of(path, text)) << text;
  scenario made;
  EXPECT_FALSE(set_option(made, "fleet.lifetimes", "file:/nowhere/at/all"));
}

TEST_F(scenario_file, a_drawn_one_is_another_for_each_seed_but_for_what_it_sets) {
  const auto s = read("draw = \"swarm\"\n[cluster]\nnodes = 1\n");
  ASSERT_TRUE(s) << s.error().text;
  EXPECT_NE(all_options(s->make(1)), all_options(s->make(2)));
  for (std::uint64_t seed = 1; seed < 50; ++seed) EXPECT_EQ(s->make(seed).cluster.nodes, 1U);
}

TEST_F(scenario_file, what_is_written_down_is_read_again) {
  const auto drawn = swarm(17);
  const auto s = read(to_toml(drawn, 17));
  ASSERT_TRUE(s) << s.error().text;
  EXPECT_EQ(s->seed(), 17U);
  EXPECT_EQ(all_options(s->make(17)), all_options(drawn));
  EXPECT_EQ(run(s->make(17), 17).hash, run(drawn, 17).hash);
}

TEST(shrinking, keeps_what_makes_it_fail_and_drops_the_rest) {
  auto s = swarm(5);
  s.fleet.instances = 64;
  s.faults.guest_pauses = 3;
  s.faults.link_cuts = 3;
  const auto fails = [](const scenario& c) -> std::optional<event_count> {
    const bool same = c.faults.link_cuts > 0 && c.fleet.instances >= 10 && happens(c.traffic.only, 77) &&
                      happens(c.traffic.only, 300) && happens(c.faults.only, 3);
    return same ? std::optional{event_count{5, 400}} : std::nullopt;
  };
  const auto small = shrink(s, fails, 500);
  EXPECT_EQ(small.faults.link_cuts, 3);
  EXPECT_EQ(small.faults.guest_pauses, 0);
  EXPECT_EQ(small.fleet.instances, 16U);
  EXPECT_EQ(small.faults.only, chosen_events{{3}});
  EXPECT_EQ(small.traffic.only, (chosen_events{{77, 300}}));
}

}  // namespace
}  // namespace tenure::sim
