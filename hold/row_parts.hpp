#pragma once

#include <cstddef>
#include <cstdint>

#include "hold/packed_flow.hpp"
#include "hold/row_format.hpp"

/// What a row says, part by part in the order in which they lie. For this folder alone.
namespace tenure::hold {

inline std::uint64_t read_high(row_reader& in, bool in_region, const row_base& base) {
  return in_region ? (base.near_high >> 32 << 32 | in.raw<std::uint32_t>()) : in.raw<std::uint64_t>();
}

inline address read_far(row_reader& in, const row_base& base) {
  if (in.small(far_v6_bit) == 0) return address::v4(in.raw<std::uint32_t>());
  const auto high = read_high(in, in.small(far_in_region_bit) != 0, base);
  return address::from_halves(high, in.raw<std::uint64_t>());
}

inline address read_near(row_reader& in, const row_base& base) {
  const auto form = static_cast<near_form>(in.small(near_bits, 2));
  if (form == near_form::v4) return address::v4(in.raw<std::uint32_t>());
  const auto high =
      form == near_form::v6_of_base ? base.near_high : read_high(in, form == near_form::v6_in_region, base);
  return address::from_halves(high, in.raw<std::uint64_t>());
}

inline void read_times(row_reader& in, flow_times& t, nanos base) {
  const auto received = bits(base) - unfolded(in.field<last_received>());
  const auto established = received - unfolded(in.field<life>());
  const auto opened = established - unfolded(in.field<handshake>());
  t.transit = static_cast<nanos>(in.field<transit>());
  t.error = static_cast<nanos>(in.field<error>());
  t.closed = static_cast<nanos>(in.difference<closing>(received));
  t.last_received = static_cast<nanos>(received);
  t.established = static_cast<nanos>(established);
  t.opened = static_cast<nanos>(opened);
  t.is_established = in.small(established_bit) != 0;
}

/// Behind all else, where there are any; what is there follows from the row's length: 1 byte for why the
/// connect failed, 4 if it stands for several connections, then 6 or 18 for what was dialled.
inline constexpr std::ptrdiff_t connections_bytes = 4;
inline constexpr std::ptrdiff_t dialled_v4_bytes = 6;
inline constexpr std::ptrdiff_t dialled_v6_bytes = 18;

/// Whether so many bytes of them hold the number of connections.
constexpr bool has_connections(std::ptrdiff_t extras) {
  extras -= extras % 2;
  return extras == connections_bytes || extras == connections_bytes + dialled_v4_bytes ||
         extras == connections_bytes + dialled_v6_bytes;
}

inline void read_extras(row_reader& in, const std::byte* row_end, flow& f) {
  auto left = row_end - in.at();
  const bool several = has_connections(left);
  f.connect_errno = left % 2 != 0 ? in.raw<std::uint8_t>() : 0;
  left -= left % 2;
  f.connections = several ? in.raw<std::uint32_t>() : 1;
  if (several) left -= connections_bytes;
  f.dialled = {};
  if (left != dialled_v4_bytes && left != dialled_v6_bytes) return;
  f.dialled.port = in.raw<std::uint16_t>();
  if (left == dialled_v4_bytes) {
    f.dialled.address = address::v4(in.raw<std::uint32_t>());
  } else {
    const auto high = in.raw<std::uint64_t>();
    f.dialled.address = address::from_halves(high, in.raw<std::uint64_t>());
  }
}

}  // namespace tenure::hold
