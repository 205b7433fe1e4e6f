#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ownership/workload_table.hpp"

namespace tenure::sinks {

/// Names as JSON strings, quotes and all: escaped once, then looked up. One thread at a time.
class json_names {
 public:
  /// "null" for workload_id::none. What is returned stays while the same table is asked for, and has
  /// text_slack readable bytes behind it.
  std::string_view workload(workload_id id, const workload_table& table) {
    const auto index = static_cast<std::size_t>(id);
    if (table.serial() == table_ && index < by_id_.size() && !by_id_[index].empty()) return by_id_[index];
    return learn(id, table);
  }
  /// Any other name. What is returned stays until the next call.
  std::string_view text(std::string_view name);

 private:
  std::string_view learn(workload_id id, const workload_table& table);

  std::uint64_t table_ = 0;              // serial of the one whose ids by_id_ is of
  std::vector<std::string_view> by_id_;  // in known_
  std::deque<std::string> known_;        // which does not move them when it grows
  std::unordered_map<std::string, std::string> by_text_;
  std::string last_text_;  // one agent's records come together
  std::string_view last_escaped_;
};

}  // namespace tenure::sinks
