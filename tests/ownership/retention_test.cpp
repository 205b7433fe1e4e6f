#include "ownership/retention.hpp"

#include <gtest/gtest.h>

namespace tenure {
namespace {

constexpr nanos day = 24 * hour;

evidence ended(std::uint32_t host, nanos until) {
  return {{address::v4(host), 0}, {1, host + 1}, workload_id{1}, until - second, until, 0, 0};
}

TEST(Retention, ForgetsByAgeAFewTimesAHorizon) {
  timelines known;
  const retention r;
  known.merge(ended(1, hour));
  const auto first = due_cutoff(known, r, 30 * hour, time_min);
  EXPECT_EQ(first, 6 * hour);
  EXPECT_EQ(due_cutoff(known, r, 30 * hour + 59 * minute, *first), std::nullopt);
  EXPECT_EQ(due_cutoff(known, r, 31 * hour, *first), 7 * hour);
}

TEST(Retention, ForgetsTheOldestEndsWhenMemoryIsShort) {
  constexpr std::size_t most = 100'000;
  timelines known(most);
  const retention r{day, 10 * minute, most};
  std::uint32_t host = 0;
  while (known.merge(ended(host, hour + host * second)) == merged::changed) ++host;
  const nanos now = hour + (host + 3'600) * second;
  const auto cutoff = due_cutoff(known, r, now, time_min);
  ASSERT_TRUE(cutoff);
  EXPECT_GT(*cutoff, now - day);
  const auto forgotten = known.forget_before(*cutoff);
  EXPECT_NEAR(static_cast<double>(forgotten), host / 8.0, host / 40.0);
  EXPECT_EQ(known.merge(ended(host, now)), merged::changed);
}

TEST(Retention, KeepsWhatHeldFlowsMayAskFor) {
  constexpr std::size_t most = 100'000;
  timelines known(most);
  const retention r{day, 10 * minute, most};
  std::uint32_t host = 0;
  while (known.merge(ended(host, day)) == merged::changed) ++host;
  EXPECT_EQ(due_cutoff(known, r, day + minute, day - 9 * minute), std::nullopt) << "all of it is young";
  EXPECT_EQ(due_cutoff(known, r, day + minute, time_min), day - 9 * minute);
  EXPECT_EQ(due_cutoff(known, r, day + 11 * minute, time_min), day + 1);
}

}  // namespace
}  // namespace tenure
