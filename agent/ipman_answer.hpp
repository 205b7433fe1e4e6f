#pragma once

#include <string>

#include "agent/ipman.hpp"
#include "agent/tenancy_tracker.hpp"

namespace tenure::agent {

/// Does what a request says and gives the reply line (docs/ipman.md). On the tracker's thread.
std::string answer_ipman(tenancy_tracker& tracker, const ipman_request& request);

/// The reply to what could not be done, also for those that never came as far as the tracker.
std::string ipman_refusal(const failure& why);

}  // namespace tenure::agent
