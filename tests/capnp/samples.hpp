#pragma once

#include <cstdint>

#include "capnp/messages.hpp"

/// Messages of every kind for the tests, from a seed that the test gives.
namespace tenure::wire::samples {

/// What the batches' ids carry.
inline constexpr std::uint64_t incarnation = 0x00c0'ffee'00c0'ffeeULL;

/// A valid batch whose tables, evidence and flows have 0 to `most` elements; every field takes its extremes
/// too.
batch any_batch(std::uint64_t seed, std::size_t most);

/// A valid message of any kind.
message any_message(std::uint64_t seed, std::size_t most);

/// Every field, so that a failed comparison can be read.
std::string describe(const message& m);

}  // namespace tenure::wire::samples
