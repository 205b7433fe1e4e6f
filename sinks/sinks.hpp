#pragma once

#include <memory>

#include "sinks/record_sink.hpp"
#include "sinks/storage.hpp"

namespace tenure::sinks {

/// One JSON object a line, keys as in docs/record.md.
std::unique_ptr<record_sink> make_ndjson_sink(std::unique_ptr<storage> where);

/// Compressed blocks (sinks/block.hpp), which `tenure read` turns into such lines.
std::unique_ptr<record_sink> make_block_sink(std::unique_ptr<storage> where);

/// One readable line a record, for a terminal.
std::unique_ptr<record_sink> make_readable_sink(std::unique_ptr<storage> where, bool colour);

}  // namespace tenure::sinks
