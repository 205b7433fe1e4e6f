#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ownership/tenancy.hpp"

namespace tenure {

/// Where a name lies in a table. By the usual one anybody can bring many names that lie in one place, where
/// that is looked for.
struct keyed_name_hash {
  static std::size_t usual(std::string_view name, std::uint64_t) {
    return std::hash<std::string_view>{}(name);
  }
  std::size_t (*of)(std::string_view name, std::uint64_t key) = usual;
  std::uint64_t key = 0;
  std::size_t operator()(std::string_view name) const { return of(name, key); }
};

/// Names of workloads as small numbers. Grows only, up to a bound; a name's id and its text stay valid as
/// long as the table lives. Any thread.
class workload_table {
 public:
  static constexpr std::size_t usual_capacity = 1'000'000;

  /// @param capacity how many names at the most: an agent that invents names must not fill the memory.
  /// @param hash its key known to nobody who brings names
  explicit workload_table(std::size_t capacity = usual_capacity, keyed_name_hash hash = {});

  /// The id of a name, new or known; nothing when the table is full. The empty name is workload_id::none.
  std::optional<workload_id> intern(std::string_view name);

  /// The id of a name that is known.
  std::optional<workload_id> find(std::string_view name) const;

  /// The ids of `count` names, where they are known: calls put(i, id) for those. One lock for all of them.
  template <class Name, class Put>
  void find_all(std::size_t count, Name&& name, Put&& put) const {
    const std::shared_lock lock(mutex_);
    for (std::size_t i = 0; i < count; ++i)
      if (const auto known = ids_.find(name(i)); known != ids_.end()) put(i, known->second);
  }

  /// @pre id was given by this table, or is none (whose name is empty).
  std::string_view name(workload_id id) const;

  std::size_t size() const;

  /// No other table of this process ever had this number, though one may have had this address.
  std::uint64_t serial() const { return serial_; }

 private:
  const std::size_t capacity_;
  const std::uint64_t serial_;
  mutable std::shared_mutex mutex_;
  std::deque<std::string> names_;
  std::unordered_map<std::string_view, workload_id, keyed_name_hash> ids_;
};

}  // namespace tenure
