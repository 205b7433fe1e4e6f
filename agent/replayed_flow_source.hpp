#pragma once

#include <memory>
#include <string>

#include "agent/clock.hpp"
#include "agent/flow_source.hpp"
#include "ownership/outcome.hpp"
#include "ownership/time.hpp"

namespace tenure::agent {

/// A recording as a source of flows: as though everything in it happened again now, at its own pace. Needs no
/// kernel programs and no permission. No socket has a near tenancy: those of the recording are nobody's now.
/// @param clock outlives the source
outcome<std::unique_ptr<flow_source>> make_replayed_flow_source(const std::string& path, nanos transit_floor,
                                                                const boot_clock& clock);

}  // namespace tenure::agent
