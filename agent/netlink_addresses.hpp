#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// What one rtnetlink message says of an address of the namespace its socket was made in.
struct address_message {
  tenure::address address;
  bool gone = false;
};

/// Reads a datagram's messages, ignoring what is not about addresses, and what is malformed.
/// @returns whether it ended a dump.
bool read_address_messages(std::span<const std::byte> datagram,
                           const std::function<void(const address_message&)>& take);

/// Every address on an interface of the calling thread's namespace, but those found to be somebody else's too
/// (duplicate address detection). Waits a second at the longest.
outcome<std::vector<address>> dump_addresses();

}  // namespace tenure::agent
