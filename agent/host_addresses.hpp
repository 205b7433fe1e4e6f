#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "agent/address_check.hpp"
#include "agent/look_failures.hpp"
#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// Where the agent's own network namespace is found: `tenancy_tracker::set` for the host's own addresses
/// names it.
inline constexpr const char* own_netns = "/proc/self/ns/net";

/// Asks this host's kernel. Enters other namespaces on threads of its own, one a call, and holds none of them
/// open afterwards, which would keep it alive. A call takes at most a few seconds; one thread at a time.
/// @param failures counts what could not be looked at; null: nobody counts
std::unique_ptr<address_check> make_address_check(std::shared_ptr<look_failures> failures = nullptr);

/// Watches the agent's own network namespace while it lives; the destructor waits for the thread.
class address_watch {
 public:
  virtual ~address_watch() = default;
};

/// @param came is called from the watcher's thread for every address that is on an interface, first for those
/// that are there already; again for one that is there is no harm. It must not block for long.
/// @param gone is called from the watcher's thread for every address that leaves an interface (rtnetlink),
/// with the namespace's cookie; it must not block for long. When messages were lost, for every address that
/// was there: one that went and came back cannot be told from one that stayed.
/// @param forwarding is called from the watcher's thread when packets begin to be forwarded, or are not any
/// more; the last call is right.
outcome<std::unique_ptr<address_watch>> watch_host_addresses(
    std::function<void(std::uint64_t netns_cookie, address a)> gone,
    std::function<void(address a)> came = [](address) {},
    std::function<void(bool on)> forwarding = [](bool) {});

}  // namespace tenure::agent
