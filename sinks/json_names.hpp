#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ownership/workload_table.hpp"

namespace tenure::sinks {

/// Names as JSON strings, quotes and all: escaped once, then looked up. One thread at a time.
class json_names {
 public:
  /// "null" for workload_id::none. What is returned stays while the same table is asked for.
  std::string_view workload(workload_id id, const workload_table& table);
  /// Any other name. What is returned stays until the next call.
  std::string_view text(std::string_view name);

 private:
  std::uint64_t table_ = 0;        // serial of the one whose ids by_id_ is of
  std::deque<std::string> by_id_;  // which does not move them when it grows
  std::unordered_map<std::string, std::string> by_text_;
  std::string last_text_;  // one agent's records come together
  std::string_view last_escaped_;
};

}  // namespace tenure::sinks
