#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// A TCP socket that listens.
struct listener {
  tenure::address address;  ///< 0.0.0.0 or ::, when it listens on all
  std::uint16_t port = 0;
  bool any_v4 = false;       ///< on all IPv4 addresses
  bool any_v6 = false;       ///< on all IPv6 addresses
  std::uint64_t cookie = 0;  ///< of the socket; never comes back
  std::uint64_t cgroup = 0;  ///< in which the socket was made

  bool listens_on(tenure::address a) const {
    return a.is_v4() ? any_v4 || a == address : any_v6 || a == address;
  }
};

/// Reads one datagram of the kernel's answer, ignoring what is malformed. @returns whether it ended the dump.
bool read_listeners(std::span<const std::byte> datagram, std::vector<listener>& into);

/// All of the calling thread's network namespace, as sock_diag tells. Waits a second at the longest.
outcome<std::vector<listener>> dump_listeners();

}  // namespace tenure::agent
