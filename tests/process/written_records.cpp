#include "tests/process/written_records.hpp"

#include <fstream>
#include <utility>

#include "tests/process/child.hpp"

namespace tenure::testing {

using nlohmann::json;

std::vector<json> records_in(const std::string& path) {
  std::vector<json> all;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (auto r = json::parse(line, nullptr, false); r.is_object()) all.push_back(std::move(r));
  return all;
}

json first_record(const std::string& path, const std::function<bool(const json&)>& is_wanted,
                  std::chrono::seconds bound) {
  json found;
  (void)eventually(
      [&] {
        for (auto& r : records_in(path))
          if (is_wanted(r)) return found = std::move(r), true;
        return false;
      },
      bound);
  return found;
}

}  // namespace tenure::testing
