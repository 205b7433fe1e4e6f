#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "agent/address_check.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// Runs `inside` in the network namespace at `path`, on a thread of its own that ends with the call, so that
/// neither this thread moves nor the namespace is kept alive. A failure when there is no namespace at `path`
/// or it may not be entered.
outcome<void> run_in_netns(const std::string& path, const std::function<void()>& inside);

/// The cookie of the calling thread's namespace, unique while the host is up; 0 when the kernel has none
/// (before 5.14).
std::uint64_t current_netns_cookie();

/// A path for each network namespace of this host that has a name under /run/netns or a process in it, this
/// process's own first; each namespace once.
std::vector<std::string> netns_paths();

}  // namespace tenure::agent
