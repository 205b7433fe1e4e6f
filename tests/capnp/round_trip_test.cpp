#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "capnp/codec.hpp"
#include "tests/capnp/samples.hpp"

namespace tenure::wire {
namespace {

RC_GTEST_PROP(codec, a_message_comes_back_as_it_went, (std::uint64_t seed)) {
  auto sent = samples::any_message(seed, 40);
  auto got = decode(encode(sent), samples::incarnation);
  RC_ASSERT(got.has_value());
  RC_ASSERT(samples::describe(*got) == samples::describe(sent));
}

TEST(codec, empty_texts_and_lists_come_back) {
  for (const message& sent :
       {message{hello{1, 7, ""}}, message{welcome{1, ""}}, message{goodbye{}}, message{credit{77}},
        message{hello{1, 7, "a", true}}, message{welcome{1, "n", true}}, message{batch{1, {}, {}, {}, {}}}}) {
    auto got = decode(encode(sent), 7);
    ASSERT_TRUE(got) << got.error().text;
    EXPECT_EQ(samples::describe(*got), samples::describe(sent));
  }
}

TEST(codec, the_ids_of_a_batch_are_of_the_connections_incarnation) {
  batch b;
  b.number = 12;
  b.workloads = {{"checkout", {{"zone", "a"}}}};
  b.tenancies = {{{1, 5}, {address::v4(0x0a000001), 443}, workload_id{1}}};
  flow f;
  f.near_tenancy = {1, 5};
  b.flows = {f, f};
  auto got = decode(encode(b), 99);
  ASSERT_TRUE(got) << got.error().text;
  const auto& out = std::get<batch>(*got);
  EXPECT_EQ(out.tenancies[0].id, (tenancy_id{99, 5}));
  EXPECT_EQ(out.flows[1].id, (flow_id{99, 12, 1}));
  EXPECT_EQ(out.flows[1].near_tenancy, (tenancy_id{99, 5}));
  EXPECT_EQ(out.flows[1].near_workload, workload_id{1});
}

TEST(codec, a_near_end_may_have_a_name_without_a_tenancy_but_only_one_of_the_batch) {
  batch b;
  b.number = 12;
  b.workloads = {{"checkout", {}}, {"nginx", {}}};
  b.flows.resize(1);
  b.flows[0].near_workload = workload_id{2};
  auto got = decode(encode(b), 99);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(std::get<batch>(*got).flows[0].near_workload, workload_id{2});
  EXPECT_TRUE(std::get<batch>(*got).flows[0].near_tenancy.none());
  b.flows[0].near_workload = workload_id{3};
  EXPECT_FALSE(decode(encode(b), 99));
}

TEST(codec, a_flow_stays_small) {
  batch b;
  b.number = 1;
  auto empty = encode(b).size();
  b.flows.resize(1000);
  EXPECT_LE((encode(b).size() - empty) * 8, 1000 * 168U + 8) << "bytes on the wire";
  for (auto& f : b.flows) {
    f.connection = f.id.index = static_cast<std::uint32_t>(&f - b.flows.data());
    f.near_address = address::v4(0x0a00'0001);
    f.far_address = address::v4(0x0a00'0002);
    f.times = {second, second + 300'000, 2 * second, 3 * second, millisecond, 180'000, true};
    f.counters = {5'000, 20'000, 40, 60, 0, 350, 200, 300};
  }
  EXPECT_LE((encode_packed(b).size() - empty) * 8, 1000 * 60U) << "bytes on the wire";
}

}  // namespace
}  // namespace tenure::wire
