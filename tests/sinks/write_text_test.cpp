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

RC_GTEST_PROP(write_address, is_the_addresses_own_text,
              (std::uint64_t high, std::uint64_t low, std::uint32_t v4)) {
  for (const auto& a : {address::from_halves(high << (low % 64), low), address::v4(v4 * 0x9e37'79b9U)}) {
    char text[64];
    RC_ASSERT(std::string(text, write_address(text, a)) == a.to_string());
  }
}

}  // namespace
}  // namespace tenure::sinks
