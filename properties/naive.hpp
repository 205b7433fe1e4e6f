#pragma once

#include <vector>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"
#include "ownership/verdict.hpp"

namespace tenure::naive {

/// The rule once more, written to be obvious and not to be fast: it keeps all evidence and looks at every
/// single instant. Only for times of a few hundred nanoseconds.
verdict resolve(const std::vector<evidence>& all, address far, std::uint16_t far_port,
                const flow_times& times);

}  // namespace tenure::naive
