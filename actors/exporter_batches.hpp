#pragma once

#include <cstdint>

#include "actors/exporter_links.hpp"

/// The exporter's batches: from what has gathered to what a node is sent. On the exporter's thread.
namespace tenure::actors {

/// What is retained, as counters.
void refresh_gauges(exporter_state& s);

/// Seals what has gathered; retains it, and sends it when a node listens.
/// @returns the batch's number, 0 when nothing has gathered.
std::uint64_t seal(exporter_pointer self);

}  // namespace tenure::actors
