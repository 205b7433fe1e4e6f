#include "sinks/block_tables.hpp"

#include <algorithm>
#include <utility>

namespace tenure::sinks {

namespace {

/// Agents give their names themselves: beyond this many those of earlier blocks are forgotten.
constexpr std::size_t most_agents = 100'000;

}  // namespace

std::uint32_t value_numbers::add(std::size_t at, std::uint64_t value) {
  values_.push_back(value);
  const auto next = static_cast<std::uint32_t>(values_.size());
  if (values_.size() * 2 <= slots_.size()) {
    slots_[at] = next;
  } else {
    slots_.assign(std::size_t{1} << ++bits_, 0);
    for (std::uint32_t n = 0; n < next; ++n) {
      std::size_t free = values_[n] * 0x9e37'79b9'7f4a'7c15ULL >> (64 - bits_);
      while (slots_[free] != 0) free = (free + 1) & (slots_.size() - 1);
      slots_[free] = n + 1;
    }
  }
  return next - 1;
}

void value_numbers::clear() {
  values_.clear();
  std::fill(slots_.begin(), slots_.end(), 0);
}

std::uint32_t agent_numbers::number(std::string_view name) {
  auto found = by_text_.find(name);
  if (found == by_text_.end()) {
    known_.push_back({std::string(name)});
    found = by_text_.emplace(known_.back().text, static_cast<std::uint32_t>(known_.size() - 1)).first;
  }
  auto& next = known_[found->second].next;
  if (next == 0) {
    used_.push_back(found->second);
    next = static_cast<std::uint32_t>(used_.size());
  }
  return next - 1;
}

void agent_numbers::clear() {
  for (const auto n : used_) known_[n].next = 0;
  used_.clear();
  if (known_.size() < most_agents) return;
  by_text_.clear();
  known_.clear();
}

std::string_view block_names::name(std::size_t id, const workload_table& table) {
  if (std::exchange(table_, table.serial()) != table.serial()) by_id_.clear();
  if (id >= by_id_.size()) by_id_.resize(std::max(id + 1, table.size() + 1));
  auto& known = by_id_[id];
  if (known.empty()) known = table.name(static_cast<workload_id>(id));
  return known;
}

}  // namespace tenure::sinks
