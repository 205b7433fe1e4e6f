#pragma once

#include <cstdint>

#include "ownership/flow.hpp"

namespace tenure {

/// The port whose holder is asked for when the far end has this one: a tenancy of a port is about TCP, so of
/// UDP only who holds the whole address is asked (0).
constexpr std::uint16_t asked_port(transport_protocol p, std::uint16_t port) {
  return p == transport_protocol::udp ? std::uint16_t{0} : port;
}

}  // namespace tenure
