#include "sinks/write_text.hpp"

#include <arpa/inet.h>
#include <chrono>

namespace tenure::sinks {

namespace {

/// "00" to "99", one after the other.
constexpr auto pairs = [] {
  std::array<char, 200> out{};
  for (std::size_t i = 0; i < 100; ++i) {
    out[2 * i] = static_cast<char>('0' + i / 10);
    out[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return out;
}();

char* write_pair(char* at, std::uint32_t n) {
  std::memcpy(at, &pairs[2 * n], 2);
  return at + 2;
}

char* write_nine_digits(char* at, std::uint32_t n) {
  *at = static_cast<char>('0' + n / 100'000'000);
  write_pair(at + 1, n / 1'000'000 % 100);
  write_pair(at + 3, n / 10'000 % 100);
  write_pair(at + 5, n / 100 % 100);
  return write_pair(at + 7, n % 100);
}

/// "::1" and its like, where the C library writes some as dotted decimals.
char* write_rare_v6(char* at, const address& a) {
  auto bytes = a.bytes();
  ::inet_ntop(AF_INET6, bytes.data(), at, INET6_ADDRSTRLEN);
  return at + std::strlen(at);
}

/// RFC 5952: the first longest run of two or more zero groups is "::". The C library takes 240 ns for it.
char* write_v6(char* at, const address& a) {
  std::array<std::uint32_t, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) {
    groups[i] = static_cast<std::uint32_t>((i < 4 ? a.high() : a.low()) >> (48 - 16 * (i % 4))) & 0xffff;
  }
  std::size_t gap = 8;
  std::size_t gap_length = 1;
  for (std::size_t i = 0, run = 0; i < 8; ++i) {
    run = groups[i] == 0 ? run + 1 : 0;
    if (run <= gap_length) continue;
    gap = i + 1 - run;
    gap_length = run;
  }
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == gap) {
      *at++ = ':';
      i += gap_length - 1;
      if (i == 7) *at++ = ':';
      continue;
    }
    if (i > 0) *at++ = ':';
    at = std::to_chars(at, at + 4, groups[i], 16).ptr;
  }
  return at;
}

}  // namespace

char* write_hex(char* at, std::uint64_t n) {
  constexpr char digits[] = "0123456789abcdef";
  for (int i = 15; i >= 0; --i, n >>= 4) at[i] = digits[n & 15];
  return at + 16;
}

char* write_address(char* at, const address& a) {
  if (!a.is_v4()) return a.high() == 0 ? write_rare_v6(at, a) : write_v6(at, a);
  auto bits = a.v4_bits();
  for (int shift = 24; shift >= 0; shift -= 8) {
    at = write_number(at, (bits >> shift) & 255);
    if (shift > 0) *at++ = '.';
  }
  return at;
}

char* time_writer::write(char* at, nanos utc) {
  constexpr nanos day_length = 86'400 * second;
  auto day = utc / day_length;
  auto rest = utc % day_length;
  if (rest < 0) {
    rest += day_length;
    --day;
  }
  if (day != day_) {
    day_ = day;
    std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    auto year = static_cast<std::uint32_t>(static_cast<int>(date.year()));  // 1677 to 2262
    char* to = write_pair(date_.data(), year / 100);
    to = write_pair(to, year % 100);
    *to++ = '-';
    to = write_pair(to, static_cast<unsigned>(date.month()));
    *to++ = '-';
    to = write_pair(to, static_cast<unsigned>(date.day()));
    *to = 'T';
  }
  at = sinks::write(at, {date_.data(), date_.size()});
  auto seconds = static_cast<std::uint32_t>(rest / second);
  at = write_pair(at, seconds / 3600);
  *at++ = ':';
  at = write_pair(at, seconds / 60 % 60);
  *at++ = ':';
  at = write_pair(at, seconds % 60);
  *at++ = '.';
  at = write_nine_digits(at, static_cast<std::uint32_t>(rest % second));
  *at++ = 'Z';
  return at;
}

}  // namespace tenure::sinks
