#include "sinks/block_tables.hpp"

#include <bit>
#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "sinks/block_bytes.hpp"

namespace tenure::sinks {
namespace {

// From the last number of each length to the first of the next.
TEST(write_short, comes_back_at_every_length) {
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const std::uint64_t n :
         {(std::uint64_t{1} << bits) - 1, std::uint64_t{1} << bits, ~std::uint64_t{0}}) {
      char bytes[16];
      const std::string_view written(bytes, static_cast<std::size_t>(write_short(bytes, n) - bytes));
      EXPECT_EQ(written.size(), std::max<std::size_t>((static_cast<unsigned>(std::bit_width(n)) + 6) / 7, 1));
      byte_taker taker(written);
      EXPECT_EQ(taker.take_short(), n);
      EXPECT_TRUE(taker.empty() && !taker.short_of());
    }
  }
}

// However many there are and whichever come again: values are numbered as they first come, from block to
// block anew.
RC_GTEST_PROP(value_numbers, are_those_of_a_map, ()) {
  value_numbers numbers;
  for (int block = 0; block < 2; ++block) {
    std::map<std::uint64_t, std::uint32_t> known;
    const auto different = *rc::gen::element<std::uint64_t>(3, 400, 5'000);
    const auto step = *rc::gen::arbitrary<std::uint64_t>() | 1;
    for (int n = 0; n < 6'000; ++n) {
      const std::uint64_t value = (static_cast<std::uint64_t>(n) * 7'919 % different) * step;
      const auto expected = known.try_emplace(value, static_cast<std::uint32_t>(known.size())).first->second;
      RC_ASSERT(numbers.number(value) == expected);
    }
    RC_ASSERT(numbers.values().size() == known.size());
    for (const auto& [value, number] : known) RC_ASSERT(numbers.values()[number] == value);
    numbers.clear();
  }
}

RC_GTEST_PROP(agent_numbers, are_those_of_a_map, (const std::vector<std::vector<std::uint8_t>>& blocks)) {
  agent_numbers numbers;
  for (const auto& block : blocks) {
    std::map<std::string, std::uint32_t> known;
    for (const auto n : block) {
      const auto name = n % 8 == 0 ? std::string() : "host-" + std::to_string(n % 8);
      const auto expected = known.try_emplace(name, static_cast<std::uint32_t>(known.size())).first->second;
      RC_ASSERT(numbers.number(name) == expected);
    }
    RC_ASSERT(numbers.size() == known.size());
    for (const auto& [name, number] : known) RC_ASSERT(numbers.name(number) == name);
    numbers.clear();
  }
}

TEST(agent_numbers, stay_right_when_names_of_earlier_blocks_are_forgotten) {
  agent_numbers numbers;
  for (int round = 0; round < 2; ++round) {
    for (std::uint32_t n = 0; n < 120'000; ++n) ASSERT_EQ(numbers.number("host-" + std::to_string(n)), n);
    EXPECT_EQ(numbers.name(119'999), "host-119999");
    numbers.clear();
    EXPECT_EQ(numbers.size(), 0U);
  }
}

}  // namespace
}  // namespace tenure::sinks
