#pragma once

#include <filesystem>

#include <nlohmann/json.hpp>

#include "cli/console.hpp"
#include "load/fleet.hpp"
#include "load/judge.hpp"

namespace tenure::cli {

/// Reads a node's whole output, lines of NDJSON or, by its name, compressed blocks, and holds each record
/// against what this fleet reported and who held what. @param flows_a_batch as the fleet's pace has it
/// @pre no node writes to it any more
/// @returns what was found, or a failure where the file cannot be read or a block is broken or torn
outcome<load::findings> judge_output(const load::fleet& fleet, std::uint32_t flows_a_batch,
                                     const std::filesystem::path& output);

nlohmann::ordered_json as_json(const load::findings& f);

/// Prints what must not be, a line each, and fails where there is any.
outcome<void> expect_nothing_wrong(const load::findings& f, console& io);

}  // namespace tenure::cli
