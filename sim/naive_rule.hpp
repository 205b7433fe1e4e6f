#pragma once

#include <cstdint>
#include <span>

#include "ownership/evidence.hpp"
#include "ownership/flow.hpp"

namespace tenure::sim {

/// The rule of docs/proof.md once more, from the evidence itself and without any cleverness, to hold the real
/// one against.
/// @param all of the address, any ports
/// @returns the workload; none where no answer may be given, for whatever reason
workload_id naive_answer(std::span<const evidence> all, std::uint16_t far_port, const flow_times& times);

}  // namespace tenure::sim
