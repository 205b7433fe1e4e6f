#include <cstring>

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <gtest/gtest.h>

#include "capnp/codec.hpp"
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

}  // namespace
}  // namespace tenure::wire
