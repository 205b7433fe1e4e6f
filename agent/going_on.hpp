#pragma once

#include <string>
#include <vector>

#include "agent/file_descriptor.hpp"
#include "ownership/outcome.hpp"

struct bpf_link;

namespace tenure::agent {

/// Kernel programs that go on when the agent is killed, for the next one to take over what they saw: pinned
/// beside the identity maps, in a folder that only this agent holds. A pin that cannot be made is a failure
/// (trouble::refused), and nothing goes on.
outcome<void> let_go_on(const std::string& pin, const std::vector<bpf_link*>& links, int ring);

/// Detaches what goes on there; nothing when nothing does.
void end_going_on(const std::string& pin);

/// The ring that they write to, before it is ended; no descriptor when nothing goes on.
file_descriptor ring_going_on(const std::string& pin);

}  // namespace tenure::agent
