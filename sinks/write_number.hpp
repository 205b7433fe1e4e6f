#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

/// Numbers as text, three digits at a time from tables: most numbers of a record have few digits, and a loop
/// over them costs more than all else in its line.
namespace tenure::sinks {

/// Three digits and a byte that says how many of them count.
struct digits {
  std::array<char, 3> text{};
  std::uint8_t length = 0;
};

/// "0" to "999".
inline constexpr auto short_numbers = [] {
  std::array<digits, 1000> out{};
  for (std::uint32_t i = 0; i < out.size(); ++i) {
    auto& d = out[i];
    if (i >= 100) d.text[d.length++] = static_cast<char>('0' + i / 100);
    if (i >= 10) d.text[d.length++] = static_cast<char>('0' + i / 10 % 10);
    d.text[d.length++] = static_cast<char>('0' + i % 10);
  }
  return out;
}();

/// "000" to "999".
inline constexpr auto three_digits = [] {
  std::array<digits, 1000> out{};
  for (std::uint32_t i = 0; i < out.size(); ++i)
    out[i] = {{static_cast<char>('0' + i / 100), static_cast<char>('0' + i / 10 % 10),
               static_cast<char>('0' + i % 10)},
              3};
  return out;
}();

/// @pre n < 1000. Writes a byte behind the three, as all here do.
inline char* write_three_digits(char* at, std::uint32_t n) {
  std::memcpy(at, &three_digits[n], sizeof(digits));
  return at + 3;
}

/// @pre n < 1'000'000'000
inline char* write_nine_digits(char* at, std::uint32_t n) {
  at = write_three_digits(at, n / 1'000'000);
  at = write_three_digits(at, n / 1000 % 1000);
  return write_three_digits(at, n % 1000);
}

/// At most 20 characters, and up to three bytes behind them.
template <class Number>
char* write_number(char* at, Number n) {
  static_assert(std::is_unsigned_v<Number>);
  if (n < 1000) {
    const auto& d = short_numbers[n];
    std::memcpy(at, &d, sizeof d);
    return at + d.length;
  }
  if constexpr (sizeof(Number) > 2) {
    if (n >= 1'000'000) {
      if constexpr (sizeof(Number) > 4) {
        constexpr std::uint64_t nine = 1'000'000'000;
        if (n >= nine)
          return write_nine_digits(write_number(at, n / nine), static_cast<std::uint32_t>(n % nine));
      }
      const auto small = static_cast<std::uint32_t>(n);
      at = write_number(at, small / 1'000'000);
      return write_three_digits(write_three_digits(at, small / 1000 % 1000), small % 1000);
    }
  }
  const auto small = static_cast<std::uint32_t>(n);
  const auto& d = short_numbers[small / 1000];
  std::memcpy(at, &d, sizeof d);
  return write_three_digits(at + d.length, small % 1000);
}

}  // namespace tenure::sinks
