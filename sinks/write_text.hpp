#pragma once

#include <array>
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

/// Sixteen hexadecimal digits.
char* write_hex(char* at, std::uint64_t n);

/// At most 45 characters.
char* write_address(char* at, const address& a);

/// RFC 3339 with nanoseconds, 30 characters: "2026-11-21T07:16:08.123456789Z". Remembers the last second,
/// since most stamps that follow each other are of one or of its neighbours.
class time_writer {
 public:
  /// @param utc nanoseconds since 1970.
  char* write(char* at, nanos utc);

 private:
  struct known_second {
    std::int64_t number = -10'000'000'000;  // none that nanos can reach
    std::array<char, 20> text{};            // "2026-11-21T07:16:08."
  };
  void spell(known_second& s);

  std::array<known_second, 4> known_;  // by the number's last bits
};

}  // namespace tenure::sinks
