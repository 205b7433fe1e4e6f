#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "ownership/address.hpp"
#include "ownership/prefix.hpp"

namespace tenure::demo {

using mac_address = std::array<std::uint8_t, 6>;

/// A place in the pool: an IPv4 and an IPv6 address that are handed over together.
using slot_index = std::uint32_t;

/// The addresses that the fleet's instances hold in turn: out of 198.18.x.0/24 (kept for benchmarks by RFC
/// 2544) and 2001:db8:77:x::/64 (kept for documentation), so that nothing real can be meant.
class pool {
 public:
  static constexpr slot_index max_slots = 200;

  /// @param subnet tells demos that run at the same time on one machine apart.
  /// @param slots at most max_slots.
  pool(std::uint8_t subnet, slot_index slots);

  slot_index size() const { return slots_; }
  address v4(slot_index s) const;
  address v6(slot_index s) const;
  /// Made from the slot: whoever holds the addresses answers at this hardware address, so that no neighbour's
  /// table goes stale at a hand-over.
  mac_address mac(slot_index s) const;
  /// The slot of an address; nothing for an address that is not the pool's.
  std::optional<slot_index> slot_of(address a) const;

  prefix v4_network() const;
  prefix v6_network() const;

 private:
  std::uint8_t subnet_;
  slot_index slots_;
};

}  // namespace tenure::demo
