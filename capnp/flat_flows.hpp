#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <capnp/any.h>

#include "capnp/flat_tables.hpp"
#include "wire.capnp.h"

namespace tenure::wire {

/// A flow of a batch, read where it lies. The places are what `capnp compile -ocapnp capnp/wire.capnp`
/// prints; a field that was given one never moves. Getters as schema::Flow::Reader has them, without its
/// question for each field whether the sender knew it.
class flat_flow {
 public:
  static constexpr std::size_t bytes = 168;

  /// @param at `bytes` of them
  explicit flat_flow(const std::byte* at) : at_(at) {}

  std::uint64_t getConnection() const { return read<std::uint64_t>(0); }
  std::uint32_t getPart() const { return read<std::uint32_t>(8); }
  std::uint32_t getNearTenancy() const { return read<std::uint32_t>(12); }
  auto getNear() const { return end{*this, 16, 32, 36}; }
  auto getFar() const { return end{*this, 40, 34, 56}; }
  schema::Reporter getReporter() const { return schema::Reporter{read<std::uint16_t>(60)}; }
  std::uint8_t getTransport() const { return read<std::uint8_t>(62); }
  std::uint8_t getEndReason() const { return read<std::uint8_t>(63); }
  bool getEstablished() const { return (read<std::uint8_t>(64) & 1) != 0; }
  std::uint16_t getConnectErrno() const { return read<std::uint16_t>(66); }
  std::uint32_t getSegmentsSent() const { return read<std::uint32_t>(68); }
  std::int64_t getOpenedAt() const { return read<std::int64_t>(72); }
  std::int64_t getEstablishedAt() const { return read<std::int64_t>(80); }
  std::int64_t getLastReceivedAt() const { return read<std::int64_t>(88); }
  std::int64_t getClosedAt() const { return read<std::int64_t>(96); }
  std::int64_t getTransit() const { return read<std::int64_t>(104); }
  std::int64_t getError() const { return read<std::int64_t>(112); }
  std::uint64_t getBytesSent() const { return read<std::uint64_t>(120); }
  std::uint64_t getBytesReceived() const { return read<std::uint64_t>(128); }
  std::uint32_t getSegmentsReceived() const { return read<std::uint32_t>(136); }
  std::uint32_t getRetransmits() const { return read<std::uint32_t>(140); }
  std::uint32_t getSrttUs() const { return read<std::uint32_t>(144); }
  std::uint32_t getMinRttUs() const { return read<std::uint32_t>(148); }
  std::uint32_t getConnectUs() const { return read<std::uint32_t>(152); }
  std::uint32_t getNearWorkload() const { return read<std::uint32_t>(156); }
  std::uint32_t getConnections() const { return read<std::uint32_t>(160); }

 private:
  template <class Number>
  Number read(std::size_t place) const {
    return read_flat<Number>(at_ + place);
  }
  /// Its address is in one place, port and initial sequence number in others.
  struct end {
    const flat_flow& of;
    std::size_t address;
    std::size_t port;
    std::size_t sequence;
    std::uint64_t getHigh() const { return of.read<std::uint64_t>(address); }
    std::uint64_t getLow() const { return of.read<std::uint64_t>(address + 8); }
    std::uint16_t getPort() const { return of.read<std::uint16_t>(port); }
    std::uint32_t getInitialSequence() const { return of.read<std::uint32_t>(sequence); }
  };

  const std::byte* at_;
};

/// Where the structs of a list lie; nowhere when they are shorter than `bytes`, of an older schema or without
/// the zeros at their ends.
template <class Struct>
flat_list flat(typename capnp::List<Struct>::Reader in, std::size_t bytes) {
  flat_list out{nullptr, 0, in.size()};
  if (in.size() == 0) return out;
  const auto all = capnp::AnyList::Reader(in).template as<capnp::List<capnp::AnyStruct>>();
  const auto first = all[0].getDataSection();
  if (first.size() < bytes) return out;
  out.first = reinterpret_cast<const std::byte*>(first.begin());
  // All structs of a list are of one length.
  if (in.size() > 1) out.apart = all[1].getDataSection().begin() - first.begin();
  return out;
}

/// Such a list, written anew as flat_tenancy reads it. @returns where it lies in `out`
inline flat_list rewrite(capnp::List<schema::Tenancy>::Reader in, std::vector<std::uint64_t>& out) {
  for (const auto item : in)
    out.insert(out.end(), {item.getSequence(), item.getWorkload() | std::uint64_t{item.getPort()} << 32,
                           item.getAddress().getHigh(), item.getAddress().getLow()});
  return {reinterpret_cast<const std::byte*>(out.data()), flat_tenancy::bytes, in.size()};
}

/// The same for flat_evidence.
inline flat_list rewrite(capnp::List<schema::Evidence>::Reader in, std::vector<std::uint64_t>& out) {
  const auto bits = [](nanos n) { return static_cast<std::uint64_t>(n); };
  for (const auto item : in)
    out.insert(out.end(), {item.getTenancy(), bits(item.getFrom()), bits(item.getUntil()),
                           bits(item.getFromError()), bits(item.getUntilError())});
  return {reinterpret_cast<const std::byte*>(out.data()), flat_evidence::bytes, in.size()};
}

/// Calls visit(flow, index) for the flows of a list, in order, until it returns false: with a flat_flow each
/// where they lie somewhere, with a schema::Flow::Reader each where they do not.
template <class Visit>
void each_flow(capnp::List<schema::Flow>::Reader in, const flat_list& where, Visit&& visit) {
  for (unsigned i = 0; i < in.size(); ++i)
    if (!(where.first == nullptr ? visit(in[i], i) : visit(flat_flow(where.at(i)), i))) return;
}

}  // namespace tenure::wire
