#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/address_check.hpp"
#include "agent/listeners.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// A network namespace with processes in it, other than the agent's own.
struct seen_netns {
  netns_ref netns;
  std::vector<address> addresses;
  std::set<std::string> cgroups;  ///< paths of all cgroups that have a process in it
  /// Packets are forwarded, and there is more than one interface to do so between: others may be masqueraded
  /// under its addresses. (Forwarding alone says little: a namespace may begin with the host's own setting.)
  bool passes_on = false;
};

/// What was seen of a host at one moment, or rather during one call.
struct host_picture {
  std::vector<seen_netns> others;
  netns_ref own;
  std::vector<address> own_addresses;
  std::vector<listener> own_listeners;
  /// Why the last namespace that is missing in `others` was not looked into; absent: all were, but those that
  /// were gone by then.
  std::optional<failure> unseen;
  std::map<std::string, std::uint64_t> cgroup_ids;  ///< of the cgroups in `others`, by path; 0: it is gone
};

/// Where the unified cgroup hierarchy is mounted; a failure (trouble::refused) where it is not.
outcome<std::string> find_cgroup_mount();

/// The path of a cgroup below `mount`, as /proc/PID/cgroup has it, by its id; empty when it is gone.
/// Needs CAP_DAC_READ_SEARCH.
std::string cgroup_path_of(std::uint64_t id, const std::string& mount);
/// The other way; 0 when there is none.
std::uint64_t cgroup_id_of(const std::string& path, const std::string& mount);

/// Looks at the processes, the listening sockets of the agent's own network namespace, and the addresses.
/// @param mount of the cgroups @param others whether the other namespaces are of interest
/// A failure when something cannot be read: then nothing is known.
outcome<host_picture> take_picture(const std::string& mount, bool others);

}  // namespace tenure::agent
