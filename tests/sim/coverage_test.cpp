#include <gtest/gtest.h>

#include "sim/world.hpp"
#include "tests/sim/expectations.hpp"

// Of a tenancy of length L, min(L, 2 (evidence error + flow error) + H/2) is not proved when nobody says that
// it ended, H being the heartbeat; with its end reported, only the errors.
namespace tenure::sim {
namespace {

scenario mortal(nanos heartbeat, double unseen) {
  scenario s;
  s.fleet.lifetimes = {{0, 60 * second}, {1, 180 * second}};
  s.fleet.set_late = 0;
  s.fleet.del_late = 0;
  s.fleet.repeat_share = 0;
  s.fleet.unseen_share = unseen;
  s.fleet.withdrawn_share = 0;
  s.cluster.heartbeat = heartbeat;
  s.horizon = 1800 * second;
  return s;
}

double unproved_seconds(const report& r) {
  return (r.proved.held_seconds - r.proved.proved_seconds) / static_cast<double>(r.proved.instances);
}

TEST(coverage, of_unannounced_ends_lacks_half_a_heartbeat) {
  for (const nanos heartbeat : {2 * second, 10 * second, 30 * second}) {
    const auto r = run(mortal(heartbeat, 1), 1);
    expect_no_violation(r);
    ASSERT_GT(r.proved.instances, 300U);
    const double expected = static_cast<double>(heartbeat) / static_cast<double>(second) / 2;
    EXPECT_NEAR(unproved_seconds(r), expected, 0.15 * expected + 0.05) << heartbeat / second << " s";
  }
}

TEST(coverage, of_reported_ends_lacks_only_the_errors) {
  const auto r = run(mortal(10 * second, 0), 1);
  expect_no_violation(r);
  ASSERT_GT(r.proved.instances, 300U);
  // Errors of milliseconds, and what lies between `del` and the release.
  EXPECT_LT(unproved_seconds(r), 0.1);
}

}  // namespace
}  // namespace tenure::sim
