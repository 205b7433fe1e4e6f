#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "agent/identity_map.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// The identity map in the kernel, pinned in the folder `pin`, on a bpf file system (mounted at /sys/fs/bpf
/// when nobody has yet). What another incarnation left there is cleared: a restart starts new tenancies.
/// Refused (trouble::refused, one line that says what is missing) without permission, or while another agent
/// holds the folder. Any thread.
/// @param incarnation this agent's; `put` takes only tenancies of it.
/// @param left if given, what was cleared: the endpoints that were held when the agent before this one ended
outcome<std::unique_ptr<identity_map>> make_identity_maps(const std::string& pin, std::uint64_t incarnation,
                                                          std::set<identity_key>* left = nullptr);

}  // namespace tenure::agent
