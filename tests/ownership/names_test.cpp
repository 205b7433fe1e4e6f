#include <array>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "ownership/flow.hpp"
#include "ownership/tenancy.hpp"
#include "ownership/workload_table.hpp"
#include "properties/show.hpp"

namespace tenure {
namespace {

RC_GTEST_PROP(TenancyId, ReadsWhatItWrites, ()) {
  const tenancy_id id{*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()};
  RC_ASSERT(tenancy_id::parse(id.to_string()) == id);
}

TEST(TenancyId, HasOneSpelling) {
  EXPECT_EQ((tenancy_id{0xc0ffee00c0ffee, 17}.to_string()), "00c0ffee00c0ffee-17");
  for (const char* text :
       {"", "-", "00c0ffee00c0ffee", "00c0ffee00c0ffee-", "00C0FFEE00c0ffee-17", "0c0ffee00c0ffee-17",
        "00c0ffee00c0ffee-017", "00c0ffee00c0ffee--1", "00c0ffee00c0ffee-17x", "+0c0ffee00c0ffee-17",
        "00c0ffee00c0ffee-18446744073709551616"})
    EXPECT_FALSE(tenancy_id::parse(text).has_value()) << text;
}

TEST(FlowId, IsWrittenWithItsBatchAndIndex) {
  EXPECT_EQ((flow_id{0xc0ffee00c0ffee, 17, 3}.to_string()), "00c0ffee00c0ffee-17-3");
}

TEST(WorkloadTable, GivesEachNameOneNumber) {
  workload_table table(2);
  const auto a = table.intern("checkout");
  const auto b = table.intern("catalog");
  ASSERT_TRUE(a && b);
  EXPECT_NE(a, b);
  EXPECT_EQ(table.intern("checkout"), a);
  EXPECT_EQ(table.name(*a), "checkout");
  EXPECT_EQ(table.name(workload_id::none), "");
  EXPECT_EQ(table.intern(""), workload_id::none);
  EXPECT_FALSE(table.intern("one too many").has_value());
  EXPECT_EQ(table.intern("catalog"), b) << "what is known stays known when the table is full";
  EXPECT_EQ(table.size(), 2U);
}

TEST(WorkloadTable, IsOneForAllThreads) {
  workload_table table;
  constexpr int names = 500;
  std::array<std::vector<workload_id>, 4> given;
  {
    std::array<std::jthread, 4> threads;
    for (std::size_t t = 0; t < threads.size(); ++t)
      threads[t] = std::jthread([&table, &mine = given[t]] {
        for (int i = 0; i < names; ++i) mine.push_back(*table.intern("workload " + std::to_string(i)));
      });
  }
  EXPECT_EQ(table.size(), std::size_t{names});
  for (int i = 0; i < names; ++i) {
    for (const auto& each : given)
      EXPECT_EQ(each[static_cast<std::size_t>(i)], given[0][static_cast<std::size_t>(i)]);
    EXPECT_EQ(table.name(given[0][static_cast<std::size_t>(i)]), "workload " + std::to_string(i));
  }
}

}  // namespace
}  // namespace tenure
