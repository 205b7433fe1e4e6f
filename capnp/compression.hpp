#pragma once

#include <optional>

#include "capnp/codec.hpp"
#include "capnp/received_batch.hpp"

namespace tenure::wire {

/// The same frame as a `compressed` one, where that saves a quarter of its bytes at least; otherwise absent.
std::optional<frame> compress(const frame& f);

/// The frame inside a `compressed` one, and any other as it is. A failure when the content is not one zstd
/// frame of the size that it says, at most max_frame_bytes.
outcome<frame_ptr> expand(frame_ptr f);

}  // namespace tenure::wire
