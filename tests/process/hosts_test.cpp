#include "tests/process/hosts.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace tenure::testing {
namespace {

double boot_clock_of(const hosts& machines, std::size_t host) {
  child c(machines.on(host, {"cat", "/proc/uptime"}));
  EXPECT_EQ(c.wait(), 0) << c.err();
  double seconds = 0;
  std::istringstream{c.out()} >> seconds;
  return seconds;
}

TEST(hosts, have_boot_clocks_of_their_own) {
  const hosts machines(3);
  const auto first = boot_clock_of(machines, 0);
  EXPECT_GT(first, 0);
  EXPECT_GT(boot_clock_of(machines, 1), first + 700'000);
  EXPECT_GT(boot_clock_of(machines, 2), first + 1'400'000);
}

}  // namespace
}  // namespace tenure::testing
