#include "sim/swarm.hpp"

#include <gtest/gtest.h>

#include "sim/repeat.hpp"
#include "tests/sim/expectations.hpp"

namespace tenure::sim {
namespace {

constexpr std::uint64_t fixed_seeds = 100;

TEST(swarm, breaks_no_promise_and_fires_every_fault) {
  fault_counts fired;
  std::map<std::string, std::uint64_t> reasons;
  for (std::uint64_t seed = 1; seed <= fixed_seeds; ++seed) {
    auto r = run(swarm(seed), seed);
    if (is_repeated(seed)) repeat(swarm(seed), seed, r);
    expect_no_violation(r);
    fired += r.faults;
    for (const auto& [why, n] : r.answers.unattributed) reasons[why] += n;
  }
  for (std::size_t i = 0; i < fault_kinds; ++i) {
    const auto kind = static_cast<fault>(i);
    EXPECT_GT(fired[kind], 0U) << to_string(kind) << " never happened: the swarm proves less than it says";
  }
  for (const auto* why :
       {"external", "local", "no_evidence", "clock", "before_first", "after_last", "between"})
    EXPECT_GT(reasons[why], 0U) << why;
}

// What once went wrong, each with the seed that showed it.
TEST(swarm, lets_a_node_go_whose_peer_came_back_while_its_flows_were_held) {
  constexpr std::uint64_t seed = 40'129;  // the actors of the peer's earlier incarnation were never ended
  expect_no_violation(run(swarm(seed), seed));
}

}  // namespace
}  // namespace tenure::sim
