#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ownership/evidence.hpp"
#include "ownership/glance.hpp"
#include "ownership/leading.hpp"
#include "ownership/need.hpp"

namespace tenure {

/// What is known of one tenancy: the hull of its cores, and the hull of what was said before errors were
/// taken off (which tells `clock` from the other reasons and is used for nothing else).
struct holding {
  std::uint16_t port = 0;  ///< 0: the whole address
  tenancy_id tenancy;
  workload_id workload = workload_id::none;
  interval sure;  ///< {0, 0} when nothing is sure
  interval said;

  friend bool operator==(const holding&, const holding&) = default;
};

/// A holding as it is kept, in the order in which questions read it.
struct timeline_cell {
  interval sure;  ///< empty: {time_max, time_min}, so that no comparison with it is ever true
  workload_id workload = workload_id::none;
  std::uint16_t port = 0;
  tenancy_id tenancy;
  interval said;

  bool is_of(std::uint16_t wanted) const { return port == 0 || port == wanted; }
  holding open() const;
};
static_assert(sizeof(timeline_cell) == 56);
/// What a question reads of a cell that answers it.
inline constexpr std::size_t answering_bytes = offsetof(timeline_cell, said);

/// The cells of one timeline, one after the other behind this head. Lives in a timeline_store.
struct timeline_block {
  std::uint32_t owner = 0;  ///< whose it is: for the store, which moves blocks
  std::uint32_t count = 0;

  timeline_cell* cells() { return reinterpret_cast<timeline_cell*>(this + 1); }
};

/// Of one address, the tenancies that held it or one of its ports. Merging is commutative, associative and
/// idempotent (a join-semilattice: hulls only grow), so evidence may come in any order, repeated, split or
/// late. One tenancy id stated with two workloads, or of two ports, is kept as two holdings, never joined.
///
/// 48 bytes, in which one sees at a glance which of up to five tenancies can have held the address when; what
/// is exact is in the block. So a question costs a line of memory here and one or two there.
class timeline {
 public:
  bool empty() const { return block_ == nullptr; }
  std::size_t size() const { return empty() ? 0 : block_->count; }
  /// @pre index < size(). In no particular order.
  holding at(std::size_t index) const { return block_->cells()[index].open(); }

  /// The cell that this evidence extends; null when there is none.
  /// @param near bits of cells to look at first, none of them beyond size(); the answer is the same with any
  timeline_cell* find(const evidence& e, std::uint32_t near) const;
  /// Whether anything changed. @pre `c` is a cell of this timeline, found for this evidence
  bool extend(timeline_cell& c, const evidence& e, const glance_clock& clock);
  /// The block, perhaps another one, has one more cell than before, at its end.
  void grown(timeline_block* block, const glance_clock& clock);
  /// The block has other cells than before; null: none. Puts them in order.
  void replaced(timeline_block* block, const glance_clock& clock);
  /// The same cells, elsewhere.
  void moved(timeline_block* block) { block_ = block; }
  timeline_block* block() const { return block_; }

  /// One bit for each of the first few that can meet it; all of them when there are more.
  std::uint32_t near(const glance& g) const {
    std::uint32_t all = 0;
    for (std::uint32_t i = 0; i < seen_at_a_glance; ++i) {
      const auto can =
          static_cast<unsigned>(begins_[i] <= g.begins_by) & static_cast<unsigned>(ends_[i] >= g.ends_after);
      all |= can << i;
    }
    return all;
  }
  /// Brings into the cache what a question will read that can be met by these, or evidence will extend.
  /// @param much bytes of a cell, from its beginning
  void prefetch(std::uint32_t near, std::size_t much) const;

  /// What follows from the holdings of the port, or the whole address, whose sure hulls meet the need.
  /// @param near of that need
  leading sure(std::uint16_t port, const need& n, std::uint32_t near) const {
    leading all;
    each_near(near, [&](const timeline_cell& c) {
      if (c.is_of(port) && c.sure.from <= n.begins_by() && c.sure.until > n.ends_after())
        all.add(c.sure.until, c.tenancy, c.workload);
      return true;
    });
    return all;
  }
  bool any_said(std::uint16_t port, const need& n, const glance_clock& clock) const;
  bool any_of(std::uint16_t port) const;
  interval reach(std::uint16_t port) const;

  static constexpr std::uint32_t seen_at_a_glance = 5;
  /// Whether it has more than can be seen at a glance.
  bool is_long() const { return ends_[0] == long_mark; }

 private:
  // Until visit(cell) returns false.
  template <class Visit>
  void each_near(std::uint32_t near, Visit&& visit) const {
    if (!is_long()) {
      for (; near != 0; near &= near - 1)
        if (!visit(block_->cells()[std::countr_zero(near)])) return;
      return;
    }
    for (std::uint32_t i = 0; i < block_->count; ++i)
      if (!visit(block_->cells()[i])) return;
  }
  void look_at_all(const glance_clock& clock);
  void look(std::uint32_t index, const glance_clock& clock);

  // No glance is after it.
  static constexpr std::uint32_t long_mark = 0xffff'ffff;
  static constexpr std::uint32_t nowhere = 0xffff'ffff;

  timeline_block* block_ = nullptr;
  // Of what was said, which holds what is sure.
  std::array<std::uint32_t, seen_at_a_glance> begins_{nowhere, nowhere, nowhere, nowhere, nowhere};
  std::array<std::uint32_t, seen_at_a_glance> ends_{};
};
static_assert(sizeof(timeline) == 48);

}  // namespace tenure
