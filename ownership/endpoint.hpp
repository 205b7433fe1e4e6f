#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ownership/address.hpp"

namespace tenure {

/// An address, whole (port 0), or one port of it.
struct endpoint {
  tenure::address address;
  std::uint16_t port = 0;

  constexpr bool whole() const { return port == 0; }

  /// "10.0.0.1", "2001:db8::1", "10.0.0.1:443", "[2001:db8::1]:443". Port 0 cannot be written.
  static std::optional<endpoint> parse(std::string_view text);
  std::string to_string() const;

  friend constexpr auto operator<=>(const endpoint&, const endpoint&) = default;
};

}  // namespace tenure

template <>
struct std::hash<tenure::endpoint> {
  std::size_t operator()(const tenure::endpoint& e) const noexcept {
    return std::hash<tenure::address>{}(e.address) ^ (std::size_t{e.port} * 0x9e37'79b9'7f4a'7c15ULL);
  }
};
