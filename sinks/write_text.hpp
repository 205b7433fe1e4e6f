#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "ownership/address.hpp"
#include "ownership/time.hpp"

/// Values as text into room that the caller made: no bounds are checked and nothing is allocated, since every
/// flow of the fleet passes here. Each returns the end of what it wrote.
namespace tenure::sinks {

inline char* write(char* at, std::string_view text) {
  std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

/// At most 20 characters.
template <class Number>
char* write_number(char* at, Number n) {
  return std::to_chars(at, at + 20, n).ptr;
}

/// Sixteen hexadecimal digits.
char* write_hex(char* at, std::uint64_t n);

/// At most 45 characters.
char* write_address(char* at, const address& a);

/// RFC 3339 with nanoseconds, 30 characters: "2026-11-21T07:16:08.123456789Z". Remembers the last day, as one
/// follows another seldom.
class time_writer {
 public:
  /// @param utc nanoseconds since 1970.
  char* write(char* at, nanos utc);

 private:
  std::int64_t day_ = -1'000'000'000;  // none that nanos can reach
  std::array<char, 11> date_{};        // "2026-11-21T"
};

}  // namespace tenure::sinks
