#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <capnp/any.h>

#include "capnp/received_batch.hpp"
#include "wire.capnp.h"

namespace tenure::wire {

static_assert(std::endian::native == std::endian::little, "fields are read as they lie in the message");

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
    Number n;
    std::memcpy(&n, at_ + place, sizeof n);
    return n;
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

/// Where the flat flows of a list lie; nowhere when they are of an older schema, or none.
inline flat_list flat(capnp::List<schema::Flow>::Reader in) {
  if (in.size() == 0) return {};
  const auto all = capnp::AnyList::Reader(in).as<capnp::List<capnp::AnyStruct>>();
  const auto first = all[0].getDataSection();
  if (first.size() < flat_flow::bytes) return {};
  // All structs of a list are of one length.
  return {reinterpret_cast<const std::byte*>(first.begin()),
          in.size() == 1 ? 0 : all[1].getDataSection().begin() - first.begin()};
}

/// Calls visit(flow, index) for the flows of a list, in order, until it returns false: with a flat_flow each
/// where the sender's flows are as long as ours or longer, with a schema::Flow::Reader each where they are of
/// an older schema.
template <class Visit>
void each_flow(capnp::List<schema::Flow>::Reader in, Visit&& visit) {
  const auto [first, apart] = flat(in);
  const std::byte* at = first;
  for (unsigned i = 0; i < in.size(); ++i, at += apart)
    if (!(first == nullptr ? visit(in[i], i) : visit(flat_flow(at), i))) return;
}

}  // namespace tenure::wire
