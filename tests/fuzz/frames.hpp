#pragma once

#include <cstddef>
#include <cstdint>

namespace tenure::fuzz {

/// Reads any bytes as a frame from an agent. If that is a batch, it is written and read again, its evidence
/// is merged forwards and backwards, and asked about. Whatever the bytes are, that ends in a refusal or in
/// the same timelines either way.
void read_as_frame(const std::uint8_t* data, std::size_t size);

}  // namespace tenure::fuzz
