#pragma once

#include <cstdint>
#include <string>

#include "ownership/time.hpp"

namespace tenure::testing {

/// A recording for `agent --replay`: so many connections of 10.77.0.1 to port 443 of 10.77.0.2 to 10.77.0.5,
/// a millisecond long and 10 bytes each, one after the other at this distance.
void write_events(const std::string& path, int count, nanos apart);

/// The port behind `before` and 127.0.0.1 in a log; 0 when there is none.
std::uint16_t port_in(const std::string& log, const std::string& before);

}  // namespace tenure::testing
