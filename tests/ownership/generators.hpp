#pragma once

#include <vector>

#include <rapidcheck.h>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"

namespace tenure::generators {

inline const address here = address::v4(0x0a00'0001);
inline constexpr std::uint16_t port = 443;

/// Evidence about one address, whole or one port of it. Times, tenancies and workloads are few, so that they
/// collide.
rc::Gen<evidence> some_evidence();
rc::Gen<std::vector<evidence>> much_evidence();
/// Stamps in no particular order, a few dozen nanoseconds apart.
rc::Gen<flow_times> some_times();

}  // namespace tenure::generators
