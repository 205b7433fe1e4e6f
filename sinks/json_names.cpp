#include "sinks/json_names.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

namespace tenure::sinks {

namespace {

/// Agents give their names themselves: beyond this many the lookup is begun anew.
constexpr std::size_t most_texts = 100'000;

std::string escape(std::string_view name) {
  // Bytes that are no UTF-8 become U+FFFD, so that a line is always JSON.
  return nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string_view json_names::workload(workload_id id, const workload_table& table) {
  if (id == workload_id::none) return "null";
  if (std::exchange(table_, table.serial()) != table.serial()) by_id_.clear();
  auto index = static_cast<std::size_t>(id);
  if (index >= by_id_.size()) by_id_.resize(std::max(index + 1, table.size() + 1));
  auto& known = by_id_[index];
  if (known.empty()) known = escape(table.name(id));
  return known;
}

std::string_view json_names::text(std::string_view name) {
  if (!last_escaped_.empty() && name == last_text_) return last_escaped_;
  last_text_ = name;
  auto found = by_text_.find(last_text_);
  if (found == by_text_.end()) {
    if (by_text_.size() >= most_texts) by_text_.clear();
    found = by_text_.emplace(last_text_, escape(name)).first;
  }
  return last_escaped_ = found->second;
}

}  // namespace tenure::sinks
