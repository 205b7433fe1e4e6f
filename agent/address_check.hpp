#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// A network namespace: its path for finding it again, its cookie (never used again while the host is up) for
/// being sure.
struct netns_ref {
  std::string path;  ///< "/run/netns/blue", "/proc/4711/ns/net"
  std::uint64_t cookie = 0;
};

/// Whether packets are forwarded: then others may be masqueraded under a host's addresses.
struct forwarding {
  bool on = false;           ///< now
  std::uint64_t spells = 0;  ///< grows whenever it was on at any time since it was asked before
};

/// Asks the system who holds an address. In the simulator, the simulated host answers.
class address_check {
 public:
  virtual ~address_check() = default;
  /// The cookie of the namespace at `path`; a failure when there is none.
  virtual outcome<netns_ref> open(const std::string& path) = 0;
  /// The one namespace of this host that has the address on an interface. None, or several: a failure that
  /// names them.
  virtual outcome<netns_ref> find(address a) = 0;
  /// Which of `addresses` are on an interface of that namespace now, in the same order. All false when the
  /// namespace is gone or its path now leads to another one.
  virtual std::vector<bool> held(const netns_ref& ns, const std::vector<address>& addresses) = 0;
  /// Of the agent's own namespace. A failure when the system does not say; then the next answer covers the
  /// time of this one as well.
  virtual outcome<forwarding> forwards() { return forwarding{}; }
};

}  // namespace tenure::agent
