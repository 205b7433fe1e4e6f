#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "ownership/evidence.hpp"

/// What a batch says of tenancies, read where it lies in the frame: a heartbeat's pieces are used once, so to
/// take each out into a struct first would cost more than using it. The places are what
/// `capnp compile -ocapnp capnp/wire.capnp` prints; a field that was given one never moves.
namespace tenure::wire {

static_assert(std::endian::native == std::endian::little, "fields are read as they lie in the message");

/// Where the structs of a list lie.
struct flat_list {
  const std::byte* first = nullptr;
  std::ptrdiff_t apart = 0;
  std::size_t count = 0;

  const std::byte* at(std::size_t i) const { return first + apart * static_cast<std::ptrdiff_t>(i); }
};

/// The number that lies there.
template <class Number>
Number read_flat(const std::byte* at) {
  Number n;
  std::memcpy(&n, at, sizeof n);
  return n;
}

/// One schema::Tenancy.
struct flat_tenancy {
  static constexpr std::size_t bytes = 32;
  const std::byte* at;  ///< `bytes` of them

  std::uint64_t sequence() const { return read_flat<std::uint64_t>(at); }
  std::uint32_t workload() const { return read_flat<std::uint32_t>(at + 8); }
  std::uint16_t port() const { return read_flat<std::uint16_t>(at + 12); }
  address where() const {
    return address::from_halves(read_flat<std::uint64_t>(at + 16), read_flat<std::uint64_t>(at + 24));
  }
  /// As messages.hpp counts them: from 1.
  workload_id whose() const { return workload_id{workload() + 1}; }
};

/// One schema::Evidence.
struct flat_evidence {
  static constexpr std::size_t bytes = 40;
  const std::byte* at;  ///< `bytes` of them

  std::uint32_t tenancy() const { return read_flat<std::uint32_t>(at); }
  nanos from() const { return read_flat<nanos>(at + 8); }
  nanos until() const { return read_flat<nanos>(at + 16); }
  nanos from_error() const { return read_flat<nanos>(at + 24); }
  nanos until_error() const { return read_flat<nanos>(at + 32); }

  evidence of(const flat_list& tenancies, std::uint64_t incarnation) const {
    const flat_tenancy t{tenancies.at(tenancy())};
    return {.endpoint = {t.where(), t.port()},
            .tenancy = {incarnation, t.sequence()},
            .workload = t.whose(),
            .from = from(),
            .until = until(),
            .from_error = from_error(),
            .until_error = until_error()};
  }
};

}  // namespace tenure::wire
