#pragma once

#include <cstddef>
#include <cstdint>

#include "capnp/messages.hpp"
#include "ownership/outcome.hpp"
#include "ownership/raw_vector.hpp"

namespace tenure::wire {

/// One encoded message, without the length in front: Cap'n Proto wants words, so that is what it is made of.
using frame = raw_vector<std::uint64_t>;

/// The largest frame either side accepts, in bytes.
inline constexpr std::size_t max_frame_bytes = 4U << 20;

/// A message as a frame.
/// @pre every tenancy that a batch's evidence or flows name stands in its `tenancies`, and the frame fits
/// max_frame_bytes; what makes batches seals them well below.
frame encode(const message& m);

/// A batch as a packed one, for nodes that read it. Of its flows it does not keep the initial sequence
/// numbers.
/// @pre as for `encode`, and it has at most max_batch_flows
frame encode_packed(const batch& b);

/// Whether a frame's message is a packed batch.
bool is_packed(const frame& f);

/// A packed batch's frame as one that every node reads. A failure when that is no batch, or would be longer
/// than a frame may be. @param incarnation with which it was made
outcome<frame> unpacked(const frame& f, std::uint64_t incarnation);

/// A frame as a message. Bytes may be hostile: lengths, list bounds, indices, enumerations and nesting are
/// checked.
/// @param incarnation of the connection's hello, for the ids of tenancies and flows; ignored where there are
/// none.
outcome<message> decode(const frame& f, std::uint64_t incarnation);

}  // namespace tenure::wire
