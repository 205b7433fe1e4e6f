#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "agent/address_check.hpp"
#include "capnp/messages.hpp"
#include "ownership/endpoint.hpp"

namespace tenure::agent {

/// Who uses an endpoint of this host, as it was seen.
struct usage {
  netns_ref netns;
  tenure::endpoint endpoint;
  wire::workload workload;
  /// Ids that never come back, of what makes it the workload's: its cgroups, its listening sockets. Not
  /// empty. As long as one of them is still there at the next look, it was there in between.
  std::vector<std::uint64_t> witnesses;

  bool goes_on_from(const wire::workload& w, const std::vector<std::uint64_t>& before) const {
    const auto known = [&](std::uint64_t id) { return std::ranges::find(before, id) != before.end(); };
    return w.name == workload.name && std::ranges::any_of(witnesses, known);
  }
};

/// What the agent sees itself of who uses this host's endpoints, where no platform says it.
class usage_check {
 public:
  virtual ~usage_check() = default;
  /// Every endpoint that one workload uses alone at a moment of this call, its address on an interface; never
  /// a whole address and ports of it. One thread; takes some milliseconds.
  virtual std::vector<usage> look() = 0;
};

/// Whose a socket is by its cgroup.
class cgroup_naming {
 public:
  virtual ~cgroup_naming() = default;
  /// @param id as the kernel counts cgroups; it never comes back. Null when no rule names it, and when it is
  /// not known any more. Valid until the next call. One thread.
  virtual const wire::workload* name_of(std::uint64_t id) = 0;
};

}  // namespace tenure::agent
