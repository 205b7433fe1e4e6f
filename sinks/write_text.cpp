#include "sinks/write_text.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <chrono>

#include "sinks/write_number.hpp"

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

/// A byte of an IPv4 address and a dot behind it.
struct octet {
  std::array<char, 4> text{};
  std::uint8_t length = 0;  ///< without the dot
};
constexpr auto octets = [] {
  std::array<octet, 256> out{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    auto& o = out[i];
    if (i >= 100) o.text[o.length++] = static_cast<char>('0' + i / 100);
    if (i >= 10) o.text[o.length++] = static_cast<char>('0' + i / 10 % 10);
    o.text[o.length++] = static_cast<char>('0' + i % 10);
    o.text[o.length] = '.';
  }
  return out;
}();

char* write_pair(char* at, std::uint32_t n) {
  std::memcpy(at, &pairs[2 * n], 2);
  return at + 2;
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

// All sixteen at once: of each byte its upper half, then its lower.
char* write_hex(char* at, std::uint64_t n) {
  using bytes_at_once __attribute__((vector_size(16))) = unsigned char;
  using words_at_once __attribute__((vector_size(16))) = std::uint64_t;
  const std::uint64_t turned = __builtin_bswap64(n);
  constexpr std::uint64_t lower = 0x0f0f'0f0f'0f0f'0f0fULL;
  const words_at_once upper_halves = {turned >> 4 & lower, 0};
  const words_at_once lower_halves = {turned & lower, 0};
  constexpr bytes_at_once by_turns = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
  const auto halves = __builtin_shuffle(reinterpret_cast<bytes_at_once>(upper_halves),
                                        reinterpret_cast<bytes_at_once>(lower_halves), by_turns);
  constexpr unsigned char to_letter = 'a' - '0' - 10;
  const bytes_at_once text = halves + '0' + (reinterpret_cast<bytes_at_once>(halves > 9) & to_letter);
  std::memcpy(at, &text, sizeof text);
  return at + sizeof text;
}

char* write_address(char* at, const address& a) {
  if (!a.is_v4()) return a.high() == 0 ? write_rare_v6(at, a) : write_v6(at, a);
  const auto bits = a.v4_bits();
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto& o = octets[bits >> shift & 255];
    std::memcpy(at, o.text.data(), o.text.size());
    at += o.length + 1;
  }
  return at - 1;
}

char* time_writer::write(char* at, nanos utc) {
  auto number = utc / second;
  auto rest = utc % second;
  if (rest < 0) {
    rest += second;
    --number;
  }
  auto& known = known_[static_cast<std::size_t>(number) % known_.size()];
  if (known.number != number) {
    known.number = number;
    spell(known);
  }
  std::memcpy(at, known.text.data(), known.text.size());
  at = write_nine_digits(at + known.text.size(), static_cast<std::uint32_t>(rest));
  *at++ = 'Z';
  return at;
}

void time_writer::spell(known_second& s) {
  constexpr std::int64_t day_length = 86'400;
  auto day = s.number / day_length;
  auto rest = s.number % day_length;
  if (rest < 0) {
    rest += day_length;
    --day;
  }
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  const auto year = static_cast<std::uint32_t>(static_cast<int>(date.year()));  // 1677 to 2262
  const auto of_day = static_cast<std::uint32_t>(rest);
  char* to = write_pair(s.text.data(), year / 100);
  to = write_pair(to, year % 100);
  *to++ = '-';
  to = write_pair(to, static_cast<unsigned>(date.month()));
  *to++ = '-';
  to = write_pair(to, static_cast<unsigned>(date.day()));
  *to++ = 'T';
  to = write_pair(to, of_day / 3600);
  *to++ = ':';
  to = write_pair(to, of_day / 60 % 60);
  *to++ = ':';
  to = write_pair(to, of_day % 60);
  *to = '.';
}

}  // namespace tenure::sinks
