#include "sinks/json_names.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "sinks/text_piece.hpp"

namespace tenure::sinks {

namespace {

/// Agents give their names themselves: beyond this many the lookup is begun anew.
constexpr std::size_t most_texts = 100'000;

std::string escape(std::string_view name) {
  // Bytes that are no UTF-8 become U+FFFD, so that a line is always JSON.
  return nlohmann::json(name).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string_view json_names::learn(workload_id id, const workload_table& table) {
  if (std::exchange(table_, table.serial()) != table.serial()) {
    by_id_.clear();
    known_.clear();
  }
  const auto index = static_cast<std::size_t>(id);
  if (index >= by_id_.size()) by_id_.resize(std::max(index + 1, table.size() + 1));
  auto& text = known_.emplace_back(id == workload_id::none ? "null" : escape(table.name(id)));
  const std::size_t length = text.size();
  text.append(text_slack, ' ');
  return by_id_[index] = std::string_view(text).substr(0, length);
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
