#include "demo/pool.hpp"

#include <cassert>

namespace tenure::demo {
namespace {

constexpr std::uint32_t first_host = 10;
constexpr int v4_length = 120;  // a /24, counted in the 128-bit form
constexpr int v6_length = 64;

}  // namespace

pool::pool(std::uint8_t subnet, slot_index slots) : subnet_(subnet), slots_(slots) {
  assert(slots <= max_slots);
}

address pool::v4(slot_index s) const {
  return address::v4(0xc612'0000U | (std::uint32_t{subnet_} << 8) | (first_host + s));
}

address pool::v6(slot_index s) const {
  return address::from_halves(0x2001'0db8'0077'0000ULL | subnet_, first_host + s);
}

mac_address pool::mac(slot_index s) const {
  return {0x02, 0xc6, 0x12, subnet_, 0x00, static_cast<std::uint8_t>(first_host + s)};
}

std::optional<slot_index> pool::slot_of(address a) const {
  const std::uint64_t host = a.is_v4() ? (a.v4_bits() & 0xffU) : a.low();
  if (host < first_host || host - first_host >= slots_) return std::nullopt;
  const auto s = static_cast<slot_index>(host - first_host);
  return a == v4(s) || a == v6(s) ? std::optional(s) : std::nullopt;
}

prefix pool::v4_network() const {
  return {v4(0), v4_length};
}
prefix pool::v6_network() const {
  return {v6(0), v6_length};
}

}  // namespace tenure::demo
