#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "agent/cgroup_rules.hpp"
#include "ownership/outcome.hpp"

namespace tenure::agent {

/// One call of the Kubernetes Container Runtime Interface over a runtime's socket (containerd, CRI-O), gRPC
/// without a gRPC library: an agent has a few megabytes for everything.
/// @param method such as "/runtime.v1.RuntimeService/ListContainers" @param request a protobuf message
/// @returns the reply's protobuf message, at most 4 MiB; a failure when there is none within the bound
outcome<std::string> call_cri(const std::string& socket, const std::string& method,
                              const std::string& request, std::chrono::milliseconds bound);

/// ListContainersRequest for one container, by its whole id.
std::string cri_request(const std::string& id);

/// The container of that id in a ListContainersResponse: what kubelet wrote as labels, and the name.
std::optional<container> read_cri_reply(const std::string& reply, const std::string& id);

}  // namespace tenure::agent
