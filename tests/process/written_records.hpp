#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace tenure::testing {

/// The records that are whole in a file of NDJSON by now, in its order; none when it is not there.
std::vector<nlohmann::json> records_in(const std::string& path);

/// Waits for one that is wanted. Null when none has come within the bound.
nlohmann::json first_record(const std::string& path,
                            const std::function<bool(const nlohmann::json&)>& is_wanted,
                            std::chrono::seconds bound = std::chrono::seconds{40});

}  // namespace tenure::testing
