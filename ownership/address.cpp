#include "ownership/address.hpp"

#include <algorithm>
#include <arpa/inet.h>

namespace tenure {

namespace {

std::uint64_t load(const std::uint8_t* p) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | p[i];
  return value;
}

void store(std::uint64_t value, std::uint8_t* p) {
  for (int i = 7; i >= 0; --i, value >>= 8) p[i] = static_cast<std::uint8_t>(value);
}

// Dotted decimal, strictly: four numbers without leading zeros. Most addresses of a file are of this form,
// and inet_pton would first need a copy that ends in a zero byte.
std::optional<std::uint32_t> parse_dotted(std::string_view text) {
  std::uint32_t bits = 0;
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (at == text.size() || text[at++] != '.')) return std::nullopt;
    const std::size_t start = at;
    std::uint32_t value = 0;
    while (at < text.size() && at - start < 3 && text[at] >= '0' && text[at] <= '9')
      value = value * 10 + static_cast<std::uint32_t>(text[at++] - '0');
    const bool leading_zero = at - start > 1 && text[start] == '0';
    if (at == start || leading_zero || value > 255) return std::nullopt;
    bits = bits << 8 | value;
  }
  if (at != text.size()) return std::nullopt;
  return bits;
}

}  // namespace

address address::from_bytes(const bytes_type& bytes) {
  return {load(bytes.data()), load(bytes.data() + 8)};
}

std::optional<address> address::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    const auto bits = parse_dotted(text);
    if (!bits) return std::nullopt;
    return v4(*bits);
  }
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  // A zero byte inside would hide what follows it from inet_pton.
  if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), terminated.begin());
  bytes_type bytes{};
  if (inet_pton(AF_INET6, terminated.data(), bytes.data()) != 1) return std::nullopt;
  return from_bytes(bytes);
}

address::bytes_type address::bytes() const {
  bytes_type out{};
  store(high_, out.data());
  store(low_, out.data() + 8);
  return out;
}

std::string address::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const auto all = bytes();
  if (is_v4())
    inet_ntop(AF_INET, all.data() + 12, text.data(), text.size());
  else
    inet_ntop(AF_INET6, all.data(), text.data(), text.size());
  return text.data();
}

bool address::is_host_local() const {
  if (is_v4()) {
    const auto bits = v4_bits();
    const auto top = bits >> 24;
    return top == 127 || bits >> 16 == 0xa9fe || bits == 0 || bits == 0xffff'ffff;
  }
  const bool unspecified_or_loopback = high_ == 0 && low_ <= 1;
  const bool link_local = high_ >> 54 == 0xfe80 >> 6;
  return unspecified_or_loopback || link_local;
}

}  // namespace tenure
