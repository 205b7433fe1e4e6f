#pragma once

#include <cstddef>

#include "ownership/address.hpp"

namespace tenure::actors {

/// Which of `count` shards owns an address: by its prefix (IPv4 /24, IPv6 /64), so that a prefix is never
/// divided.
/// @pre count > 0
inline std::size_t shard_of(address a, std::size_t count) {
  const address prefix =
      a.is_v4() ? address::from_halves(a.high(), a.low() >> 8) : address::from_halves(a.high(), 0);
  return std::hash<address>{}(prefix) % count;
}

}  // namespace tenure::actors
