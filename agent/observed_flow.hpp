#pragma once

#include <cstdint>

#include "ownership/flow.hpp"

namespace tenure::agent {

/// A flow as a socket source hands it over: stamps of the agent's boot-time clock, `near_tenancy` as the
/// kernel stamped it on the socket, `id` and `near_workload` not yet set.
struct observed_flow {
  tenure::flow flow;
  std::uint64_t netns_cookie = 0;
  std::uint64_t cgroup = 0;
  /// The socket was there before the agent: what happened before that is not known, and it has no near
  /// tenancy.
  bool open_before_agent = false;
};

}  // namespace tenure::agent
