#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tenure {

/// An IPv4 or IPv6 address. IPv4 is kept as IPv4-mapped IPv6 (::ffff:a.b.c.d), so the two spellings of one
/// address are one value. Ordered by its 128 bits, so that the addresses of a prefix are neighbours.
class address {
 public:
  using bytes_type = std::array<std::uint8_t, 16>;

  /// The unspecified address `::`.
  constexpr address() = default;

  /// @param bits the address as a number in host order: 0x7f000001 is 127.0.0.1.
  static constexpr address v4(std::uint32_t bits) { return address{0, mapped_prefix | bits}; }

  /// @param bytes in network order, as in `in6_addr`.
  static address from_bytes(const bytes_type& bytes);

  /// The two halves as numbers in host order; high holds the first eight bytes.
  static constexpr address from_halves(std::uint64_t high, std::uint64_t low) { return address{high, low}; }

  /// "10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1". No brackets, no zone, nothing around it.
  static std::optional<address> parse(std::string_view text);

  constexpr bool is_v4() const { return high_ == 0 && (low_ >> 32) == (mapped_prefix >> 32); }
  /// Only when is_v4(): the address as a number in host order.
  constexpr std::uint32_t v4_bits() const { return static_cast<std::uint32_t>(low_); }
  constexpr std::uint64_t high() const { return high_; }
  constexpr std::uint64_t low() const { return low_; }

  /// In network order.
  bytes_type bytes() const;
  /// Canonical text (RFC 5952); IPv4 in dotted form.
  std::string to_string() const;

  /// 127.0.0.0/8, ::1, 169.254.0.0/16, fe80::/10, 255.255.255.255 and the unspecified addresses: they mean
  /// another host, all, or none, wherever they are said, so no evidence and no attribution is made for them.
  bool is_host_local() const;

  friend constexpr auto operator<=>(const address&, const address&) = default;

 private:
  static constexpr std::uint64_t mapped_prefix = 0xffff'0000'0000ULL;
  constexpr address(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

}  // namespace tenure

template <>
struct std::hash<tenure::address> {
  std::size_t operator()(const tenure::address& a) const noexcept {
    // Multiply and fold: addresses of one fleet differ in few low bits, which a table's mask would keep.
    __extension__ using wide = unsigned __int128;
    auto mix = static_cast<wide>(a.low() ^ 0x9e37'79b9'7f4a'7c15ULL) * (a.high() ^ 0xd6e8'feb8'6659'fd93ULL);
    return static_cast<std::size_t>(mix ^ (mix >> 64));
  }
};
