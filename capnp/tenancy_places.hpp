#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <vector>

#include "capnp/messages.hpp"
#include "ownership/invariant.hpp"

/// Between the files of the encoder.
namespace tenure::wire {

/// The places of a batch's tenancies in its table.
class tenancy_places {
 public:
  explicit tenancy_places(const std::vector<tenancy_entry>& table)
      : table_(table), slots_(std::bit_ceil(2 * table.size() + 1), 0) {
    for (std::uint32_t i = 0; i < table.size(); ++i) slots_[slot_of(table[i].id)] = i + 1;
  }

  std::uint32_t at(const tenancy_id& id) const {
    const auto place = slots_[slot_of(id)];
    invariant(place != 0, "every tenancy that a batch names stands in its table, once");
    return place - 1;
  }

 private:
  /// Where it stands, or the free slot where it would. There are always free ones.
  std::size_t slot_of(const tenancy_id& id) const {
    const std::size_t mask = slots_.size() - 1;
    const std::uint64_t hash = std::hash<tenancy_id>{}(id);
    std::size_t at = (hash >> 32) & mask;
    while (slots_[at] != 0 && table_[slots_[at] - 1].id != id) at = (at + 1) & mask;
    return at;
  }

  const std::vector<tenancy_entry>& table_;
  std::vector<std::uint32_t> slots_;  // 1 + the place; 0: free
};

}  // namespace tenure::wire
