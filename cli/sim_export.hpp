#pragma once

#include <filesystem>

#include "ownership/outcome.hpp"
#include "sim/kept_history.hpp"

namespace tenure::cli {

/// Writes a simulated history into a folder, one JSON object a line: `evidence.ndjson` and `flows.ndjson` as
/// `tenure attribute` reads them, `answers.ndjson` as it writes them with what the simulated node answered,
/// `truth.ndjson` with the workload that each flow's far end was, and `holdings.ndjson` with who held what.
/// The folder is made when it is not there.
outcome<void> export_history(const std::filesystem::path& folder, const sim::kept_history& history);

}  // namespace tenure::cli
