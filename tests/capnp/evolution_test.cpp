#include <cstring>

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <gtest/gtest.h>

#include "capnp/codec.hpp"
#include "capnp/received_batch.hpp"
#include "wire.capnp.h"

namespace tenure::wire {
namespace {

frame to_frame(capnp::MessageBuilder& builder) {
  auto words = capnp::messageToFlatArray(builder);
  frame out(words.size());
  std::memcpy(out.data(), words.begin(), words.size() * sizeof(capnp::word));
  return out;
}

// A later version adds fields at the end of its structs; today's reader takes what it knows.
TEST(evolution, a_later_version_with_more_fields_is_understood) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<schema::Message>();
  root.initPing();  // sets the union's tag
  auto any = capnp::AnyStruct::Builder(capnp::toAny(root));
  auto grown = any.getPointerSection()[0].initAsAnyStruct(3, 2);
  std::uint64_t id = 77;
  std::memcpy(grown.getDataSection().begin(), &id, sizeof(id));
  std::memset(grown.getDataSection().begin() + 8, 0xee, 16);
  grown.getPointerSection()[1].setAs<capnp::Text>("a field to come");
  auto got = decode(to_frame(builder), 1);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(std::get<ping>(*got).id, 77U);
}

// An earlier version had fewer: what is missing has its default.
TEST(evolution, an_earlier_version_with_fewer_fields_is_understood) {
  capnp::MallocMessageBuilder builder;
  auto root = builder.initRoot<schema::Message>();
  root.initPong();
  auto any = capnp::AnyStruct::Builder(capnp::toAny(root));
  auto small = any.getPointerSection()[0].initAsAnyStruct(1, 0);
  std::uint64_t id = 5;
  std::memcpy(small.getDataSection().begin(), &id, sizeof(id));
  auto got = decode(to_frame(builder), 1);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(std::get<pong>(*got), (pong{5, 0}));
}

TEST(evolution, a_message_in_many_segments_is_one_message) {
  capnp::MallocMessageBuilder builder(16, capnp::AllocationStrategy::FIXED_SIZE);
  auto b = builder.initRoot<schema::Message>().initBatch();
  b.setNumber(3);
  auto workloads = b.initWorkloads(50);
  for (auto w : workloads) w.setName("a name that takes some words of its own");
  ASSERT_GT(builder.getSegmentsForOutput().size(), 3U);
  auto got = decode(to_frame(builder), 1);
  ASSERT_TRUE(got) << got.error().text;
  EXPECT_EQ(std::get<batch>(*got).workloads.size(), 50U);
}

// Structs without the zeros at their ends, as an older schema or a canonical message has them: a node reads
// lists where they lie, but not these.
TEST(evolution, tables_of_shorter_structs_are_understood) {
  capnp::MallocMessageBuilder builder;
  auto b = builder.initRoot<schema::Message>().initBatch();
  b.setNumber(7);
  b.initWorkloads(1)[0].setName("checkout");
  auto lists = capnp::AnyStruct::Builder(capnp::toAny(b)).getPointerSection();
  const auto fill = [](capnp::AnyStruct::Builder to, std::initializer_list<std::uint64_t> words) {
    std::memcpy(to.getDataSection().begin(), words.begin(), words.size() * sizeof(std::uint64_t));
  };
  auto tenancies = lists[1].initAsListOfAnyStruct(3, 0, 2);  // the address's lower half is 0
  fill(tenancies[0], {5, std::uint64_t{443} << 32, 0x2001});
  fill(tenancies[1], {6, 0, 0x2002});
  auto evidence = lists[2].initAsListOfAnyStruct(3, 0, 2);  // the errors are 0
  fill(evidence[0], {1, 10, 20});
  fill(evidence[1], {0, 30, 40});
  const tenure::evidence first{{address::from_halves(0x2002, 0), 0}, {9, 6}, workload_id{1}, 10, 20, 0, 0};
  const tenure::evidence second{{address::from_halves(0x2001, 0), 443}, {9, 5}, workload_id{1}, 30, 40, 0, 0};
  const auto same = [](const tenure::evidence& x, const tenure::evidence& y) {
    return x.endpoint == y.endpoint && x.tenancy == y.tenancy && x.workload == y.workload &&
           x.from == y.from && x.until == y.until && x.from_error == y.from_error &&
           x.until_error == y.until_error;
  };

  const auto f = to_frame(builder);
  const auto decoded = decode(f, 9);
  ASSERT_TRUE(decoded) << decoded.error().text;
  const auto& all = std::get<batch>(*decoded).evidence;
  ASSERT_EQ(all.size(), 2U);
  EXPECT_TRUE(same(all[0], first) && same(all[1], second));

  const auto got = receive(std::make_shared<const frame>(f), 9);
  ASSERT_TRUE(got) << got.error().text;
  std::vector<tenure::evidence> seen;
  std::get<received_batch>(*got).each_evidence([&](const tenure::evidence& e) { seen.push_back(e); });
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_TRUE(same(seen[0], first) && same(seen[1], second));
}

}  // namespace
}  // namespace tenure::wire
