#pragma once

#include <string>

#include "ownership/outcome.hpp"

/// `tenure node --drain`: what SIGTERM says, said through a node's HTTP address.
namespace tenure::cli {

/// Told by POST, asked by GET.
inline constexpr const char* drain_path = "/v1/drain";

/// What GET answers: which process that is, and whether it was told.
std::string drain_word(bool told);

/// Tells the node that serves HTTP at this address to end, and waits until it has.
/// @returns trouble::refused when nobody is there; trouble::check_failed when it is still there after 25 s
outcome<void> drain_node(const std::string& http);

}  // namespace tenure::cli
