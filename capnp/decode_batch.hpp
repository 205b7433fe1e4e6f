#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <capnp/common.h>

#include "capnp/messages.hpp"
#include "ownership/outcome.hpp"
#include "wire.capnp.h"

/// Between the files of the decoder.
namespace tenure::wire {

/// The failure of a frame that is not a message, with what is wrong about it.
tl::unexpected<failure> malformed(std::string_view what);

/// What is wrong with a part of a message; nothing when it is fine.
using complaint = std::optional<std::string>;

/// A text within its bounds.
complaint read_text(capnp::Text::Reader in, std::string& out);

/// A batch whose lists are within their bounds, whose indices point into its tables, and whose enumerations
/// and signs are right. May throw what Cap'n Proto throws.
outcome<message> read_batch(schema::Batch::Reader in, std::uint64_t incarnation);

}  // namespace tenure::wire
