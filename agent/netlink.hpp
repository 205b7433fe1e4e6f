#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "agent/file_descriptor.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

// Netlink, as far as the agent speaks it: bytes of the kernel's, read without trusting their lengths.

inline constexpr std::size_t netlink_datagram_bytes = 32768;  // what the kernel fills at the most

/// The header that `bytes` begin with, copied; nothing where they are too short.
template <class T>
std::optional<T> take_header(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

/// A message's type, and what follows its header.
using netlink_taker = std::function<void(std::uint16_t type, std::span<const std::byte> body)>;

/// Hands out the messages of one datagram up to the end of a dump or what is malformed.
/// @returns whether it ended the dump.
bool read_netlink(std::span<const std::byte> datagram, const netlink_taker& take);

/// Hands out the attributes that follow a header of `header_bytes` in a message's body.
void read_attributes(std::span<const std::byte> body, std::size_t header_bytes,
                     const std::function<void(std::uint16_t type, std::span<const std::byte> value)>& take);

/// A socket in the calling thread's namespace. @param protocol NETLINK_ROUTE and so on @param groups as in
/// `sockaddr_nl::nl_groups`; 0 for requests only.
outcome<file_descriptor> open_netlink(int protocol, unsigned groups);

/// Sends a request and hands out every message of the answer. Waits a second at the longest; a failure
/// (trouble::refused) when the kernel refuses or does not answer. @param what is asked for, for its text
outcome<void> netlink_dump(int protocol, std::span<const std::byte> request, const std::string& what,
                           const netlink_taker& take);

}  // namespace tenure::agent
