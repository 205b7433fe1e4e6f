#pragma once

#include <cstddef>
#include <cstdint>

namespace tenure::fuzz {

/// Reads any bytes as a line of evidence and as a line of a flow, and applies the rule to what was read.
/// Whatever the bytes are, that ends in a refusal or an answer.
void read_as_lines(const std::uint8_t* data, std::size_t size);

}  // namespace tenure::fuzz
