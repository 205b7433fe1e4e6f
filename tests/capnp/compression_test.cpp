#include "capnp/compression.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/capnp/samples.hpp"

namespace tenure::wire {
namespace {

frame_ptr shared(frame f) {
  return std::make_shared<const frame>(std::move(f));
}

RC_GTEST_PROP(compression_property, what_is_expanded_is_what_was_compressed, (std::uint64_t seed)) {
  const auto f = encode(samples::any_batch(seed, 200));
  const auto small = compress(f);
  if (!small) return;
  RC_ASSERT(small->size() < f.size());
  const auto again = expand(shared(*small));
  RC_ASSERT(again.has_value());
  RC_ASSERT(std::equal(f.begin(), f.end(), (*again)->begin(), (*again)->end()));
}

RC_GTEST_PROP(compression_property, any_content_is_survived,
              (std::uint32_t bytes, const std::string& content)) {
  (void)expand(shared(encode(compressed{bytes, content})));
  frame any(content.size());
  for (std::size_t i = 0; i < content.size(); ++i) any[i] = static_cast<unsigned char>(content[i]);
  (void)expand(shared(any));
}

TEST(compression, a_large_batch_of_alike_flows_pays_and_a_ping_does_not) {
  batch b;
  b.number = 1;
  b.flows.resize(1000);
  const auto f = encode(b);
  const auto small = compress(f);
  ASSERT_TRUE(small);
  EXPECT_LT(small->size(), f.size() / 4);
  EXPECT_FALSE(compress(encode(ping{1})));
  const auto ping_frame = shared(encode(ping{1}));
  EXPECT_EQ(*expand(ping_frame), ping_frame);
}

TEST(compression, what_says_another_size_or_too_much_is_refused) {
  batch b;
  b.number = 1;
  b.flows.resize(100);
  const auto f = encode(b);
  auto said = std::get<compressed>(*decode(*compress(f), 0));
  for (const std::uint32_t wrong :
       {said.bytes - 8, said.bytes + 8, said.bytes + 1, std::uint32_t{0}, std::uint32_t{5U << 20}}) {
    auto m = said;
    m.bytes = wrong;
    EXPECT_FALSE(expand(shared(encode(m)))) << wrong;
  }
}

}  // namespace
}  // namespace tenure::wire
