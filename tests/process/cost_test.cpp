#include <regex>

#include <gtest/gtest.h>

#include "tests/process/played_fleet.hpp"
#include "tests/process/system_calls.hpp"

// What a node does for a flow, in counts and not in time: it works in batches and lots.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

/// How often memory was asked for, as jemalloc tells when a process ends; 0 where the allocator is another.
double allocations_told(const std::string& said) {
  std::smatch found;
  static const std::regex total(R"(total: +\d+ +\d+ +\d+ +\d+ +\d+ +(\d+) )");
  return std::regex_search(said, found, total) ? std::stod(found[1]) : 0;
}

TEST(cost, no_allocation_message_or_system_call_is_made_for_each_flow) {
  const temporary_folder folder;
  node_process node(folder / "out.tnr", {"--hold", "1s"},
                    {"env", "MALLOC_CONF=stats_print:true,stats_print_opts:bxla"});
  auto pace = brisk();
  pace.flows_a_second = 50'000;
  pace.heartbeat = 3 * second;
  played_fleet fleet(node.address(), churning_fleet(), pace);
  const auto acknowledged = [&] {
    return static_cast<double>(fleet.fleet().counters().flows_acknowledged.load());
  };
  ASSERT_TRUE(fleet.play_until([&] { return acknowledged() > 50'000; }, seconds{60}));
  const system_calls calls(node.process().id());
  const double before = acknowledged();
  ASSERT_TRUE(fleet.play_until([&] { return acknowledged() > before + 200'000; }, seconds{60}));
  const double calls_a_flow = static_cast<double>(calls.so_far()) / (acknowledged() - before);
  ASSERT_TRUE(fleet.settle());
  EXPECT_EQ(node.end(), 0) << node.process().err();
  // A message takes at least one allocation, so what bounds these bounds those.
  const double allocations_a_flow = allocations_told(node.process().err()) / acknowledged();
  RecordProperty("system_calls_a_flow", std::to_string(calls_a_flow));
  RecordProperty("allocations_a_flow", std::to_string(allocations_a_flow));
#ifndef __SANITIZE_ADDRESS__
  EXPECT_GT(allocations_a_flow, 0) << "or nothing was told of them";
#endif
  EXPECT_LT(allocations_a_flow, 0.7) << "0.39 where 50,000 flows a second are reported in batches of 50";
  EXPECT_LT(calls_a_flow, 0.2);
  if (!calls.counted()) GTEST_SKIP() << "system calls are counted by root, with tracefs mounted";
  EXPECT_GT(calls_a_flow, 0) << "or they were not counted";
}

}  // namespace
}  // namespace tenure::testing
