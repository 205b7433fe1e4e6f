#include "ownership/workload_table.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <mutex>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

workload_table::workload_table(std::size_t capacity, keyed_name_hash hash)
    : capacity_(std::min<std::size_t>(capacity, std::numeric_limits<std::uint32_t>::max())),
      serial_(next_serial()),
      names_(1),
      ids_(0, hash) {}

std::optional<workload_id> workload_table::intern(std::string_view name) {
  if (name.empty()) return workload_id::none;
  {
    const std::shared_lock lock(mutex_);
    if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  }
  const std::unique_lock lock(mutex_);
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  if (names_.size() > capacity_) return std::nullopt;
  const auto id = static_cast<workload_id>(names_.size());
  // A deque never moves what it holds, so the views that `ids_` and callers keep stay good.
  ids_.emplace(names_.emplace_back(name), id);
  return id;
}

std::optional<workload_id> workload_table::find(std::string_view name) const {
  if (name.empty()) return workload_id::none;
  const std::shared_lock lock(mutex_);
  const auto known = ids_.find(name);
  if (known == ids_.end()) return std::nullopt;
  return known->second;
}

std::string_view workload_table::name(workload_id id) const {
  const std::shared_lock lock(mutex_);
  const auto index = static_cast<std::size_t>(id);
  invariant(index < names_.size(), "a workload id comes from this table");
  return names_[index];
}

std::size_t workload_table::size() const {
  const std::shared_lock lock(mutex_);
  return names_.size() - 1;
}

}  // namespace tenure
