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
/// A cell in a line of memory of its own.
struct alignas(64) timeline_slot {
  timeline_cell cell;
  std::uint32_t owner =
      0;  ///< whose block it is, the same in all its slots: for the store, which moves blocks
};
static_assert(sizeof(timeline_slot) == 64);

/// Where the cells of a timeline lie that are not in it: up to most_slots of them in a slot each, more of
/// them close together. Lives in a timeline_store.
class timeline_block {
 public:
  static constexpr std::uint32_t most_slots = 16;
  static constexpr bool in_slots(std::uint32_t count) { return count <= most_slots; }

  timeline_block() = default;
  explicit timeline_block(timeline_slot* first) : first_(first) {}
  explicit timeline_block(timeline_cell* first) : first_(first) {}

  /// @pre in_slots(count) of the number of its cells
  timeline_slot* slots() const { return static_cast<timeline_slot*>(first_); }
  /// @pre !in_slots(count) of the number of its cells
  timeline_cell* cells() const { return static_cast<timeline_cell*>(first_); }
  /// @pre index < count, the number of its cells
  timeline_cell& cell(std::uint32_t index, std::uint32_t count) const {
    return in_slots(count) ? slots()[index].cell : cells()[index];
  }
  /// Writes one. @param owner kept where there is room for it
  void put(std::uint32_t index, std::uint32_t count, const timeline_cell& c, std::uint32_t owner) const {
    if (in_slots(count))
      slots()[index] = {c, owner};
    else
      cells()[index] = c;
  }
  void* first() const { return first_; }

 private:
  void* first_ = nullptr;
};

/// Of one address, the tenancies that held it or one of its ports. Merging is commutative, associative and
/// idempotent (a join-semilattice: hulls only grow), so evidence may come in any order, repeated, split or
/// late. One tenancy id stated with two workloads, or of two ports, is kept as two holdings, never joined.
///
/// Two lines of memory with the address before it. In the first is the latest tenancy, the one that had
/// been verified last when it came, and when all others had ended: what comes after that, as most questions
/// do, is answered there. In the second one sees at a glance which of up to five tenancies can have held the
/// address when; the others are in a block.
class timeline {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// @pre index < size(). In no particular order.
  const timeline_cell& cell(std::uint32_t index) const {
    return index == 0 ? latest_ : block_.cell(index - 1, in_block());
  }
  holding at(std::size_t index) const { return cell(static_cast<std::uint32_t>(index)).open(); }

  /// The cell that this evidence extends; null when there is none.
  /// @param near bits of cells to look at first, none of them beyond size(); the answer is the same with any
  timeline_cell* find(const evidence& e, std::uint32_t near);
  /// Whether anything changed. @pre `c` is a cell of this timeline, found for this evidence
  bool extend(timeline_cell& c, const evidence& e, const glance_clock& clock);
  /// Puts in the first cell. @pre empty()
  void begin(const timeline_cell& c, const glance_clock& clock);
  /// Lets one more in. @returns the one that is to go into the block: this one, or the latest so far
  timeline_cell displaced_by(const timeline_cell& c);
  /// The block, perhaps another one, has one more cell than before, at its end.
  void grown(timeline_block block, const glance_clock& clock);
  /// There are other cells than before, `size` of them in all, which is not 0. Puts them in order.
  void replaced(const timeline_cell& latest, timeline_block block, std::uint32_t size,
                const glance_clock& clock);
  void clear() { *this = {}; }
  /// The same cells, elsewhere.
  void moved(timeline_block block) { block_ = block; }
  /// Of in_block() cells; of no meaning when there are none.
  timeline_block block() const { return block_; }
  std::uint32_t in_block() const { return size_ == 0 ? 0 : size_ - 1; }

  /// The latest where it answers for this port and no other can; else null. Reads the first line only.
  const timeline_cell* answers_alone(std::uint16_t port, const need& n, const glance& g) const {
    const bool alone = others_ended_ < g.ends_after && latest_.is_of(port) &&
                       latest_.sure.from <= n.begins_by() && latest_.sure.until > n.ends_after();
    return alone ? &latest_ : nullptr;
  }
  /// Whether this evidence extends the latest. Reads the first line only.
  bool is_of_latest(const evidence& e) const {
    return latest_.tenancy == e.tenancy && latest_.workload == e.workload && latest_.port == e.endpoint.port;
  }
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
  /// Brings the second line into the cache.
  // Always inline: gcc takes a function that only prefetches for one without effect, and leaves calls out.
  [[gnu::always_inline]] void prefetch_glances() const { __builtin_prefetch(&block_); }
  /// Brings into the cache what a question will read that can be met by these, or evidence will extend.
  void prefetch(std::uint32_t near) const;

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
  static_assert(timeline_block::in_slots(seen_at_a_glance - 1));
  /// Whether it has more than can be seen at a glance.
  bool is_long() const { return size_ > seen_at_a_glance; }

 private:
  // Until visit(cell) returns false.
  template <class Visit>
  void each_near(std::uint32_t near, Visit&& visit) const {
    if (!is_long()) {
      for (; near != 0; near &= near - 1)
        if (!visit(seen(std::countr_zero(near)))) return;
      return;
    }
    for (std::uint32_t i = 0; i < size_; ++i)
      if (!visit(cell(i))) return;
  }
  // One of those that are seen at a glance.
  const timeline_cell& seen(int index) const { return index == 0 ? latest_ : block_.slots()[index - 1].cell; }
  void look_at_all(const glance_clock& clock);
  void look(std::uint32_t index, const glance_clock& clock);

  // No glance is after it, so none of its others had ended.
  static constexpr std::uint32_t long_mark = 0xffff'ffff;
  static constexpr std::uint32_t nowhere = 0xffff'ffff;

  // The largest of ends_ but the first; long_mark where there are more than can be seen at a glance.
  std::uint32_t others_ended_ = 0;
  std::uint32_t size_ = 0;
  timeline_cell latest_;
  timeline_block block_;
  // Of what was said, which holds what is sure.
  std::array<std::uint32_t, seen_at_a_glance> begins_{nowhere, nowhere, nowhere, nowhere, nowhere};
  std::array<std::uint32_t, seen_at_a_glance> ends_{};
};
static_assert(sizeof(timeline) == 112);

}  // namespace tenure
