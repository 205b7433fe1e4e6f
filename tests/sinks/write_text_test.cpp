#include "sinks/write_text.hpp"

#include <ctime>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::sinks {
namespace {

std::string written(nanos utc) {
  static time_writer writer;  // one for all, so that it changes days back and forth
  char text[40];
  return {text, writer.write(text, utc)};
}

/// What the C library makes of it.
std::string expected(nanos utc) {
  auto rest = (utc % second + second) % second;
  std::time_t seconds = (utc - rest) / second;
  if (utc < time_min + second) seconds = utc / second - (utc % second != 0);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char date[40];
  auto length = std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &parts);
  char nanoseconds[16];
  std::snprintf(nanoseconds, sizeof(nanoseconds), ".%09dZ", static_cast<int>(rest));
  return std::string(date, length) + nanoseconds;
}

TEST(time_writer, ends_of_its_range_and_of_days) {
  for (nanos utc : {time_min, time_max, nanos{0}, nanos{-1}, nanos{1}, 86'400 * second - 1, 86'400 * second,
                    -86'400 * second, -86'400 * second - 1, 951'782'400 * second}) {
    EXPECT_EQ(written(utc), expected(utc)) << utc;
  }
  EXPECT_EQ(written(951'782'400 * second), "2000-02-29T00:00:00.000000000Z");
}

RC_GTEST_PROP(time_writer, agrees_with_the_c_library, ()) {
  // Any instant: a small number times a large one that is odd reaches them all, and wraps on purpose.
  auto utc = static_cast<nanos>(*rc::gen::arbitrary<std::uint64_t>() *
                                (*rc::gen::inRange<std::uint64_t>(0, 1'000'000'000) * 2 + 1));
  RC_ASSERT(written(utc) == expected(utc));
}

std::string text_of(const address& a) {
  char text[64];
  return {text, write_address(text, a)};
}

TEST(write_address, is_the_addresses_own_text_wherever_zeros_stand) {
  for (unsigned zeros = 0; zeros < 256; ++zeros) {  // each bit: whether that group is zero
    address::bytes_type bytes{};
    for (unsigned group = 0; group < 8; ++group) {
      if ((zeros >> group & 1) == 0) bytes[2 * group + 1] = static_cast<std::uint8_t>(group + 1);
    }
    auto a = address::from_bytes(bytes);
    EXPECT_EQ(text_of(a), a.to_string());
  }
}

RC_GTEST_PROP(write_address, is_the_addresses_own_text, ()) {
  auto any = rc::gen::resize(1'000, rc::gen::arbitrary<std::uint64_t>());
  std::uint64_t high = *any * 0x9e37'79b9'7f4a'7c15ULL;
  std::uint64_t low = *any * 0xd6e8'feb8'6659'fd93ULL;
  for (const auto& a : {address::from_halves(high, low), address::from_halves(high << 32, low >> 32),
                        address::v4(static_cast<std::uint32_t>(high))}) {
    RC_ASSERT(text_of(a) == a.to_string());
  }
}

}  // namespace
}  // namespace tenure::sinks
