#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "ownership/evidence.hpp"
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

/// Of one address, the tenancies that held it or one of its ports. Merging is commutative, associative and
/// idempotent (a join-semilattice: hulls only grow), so evidence may come in any order, repeated, split or
/// late. One tenancy id stated with two workloads, or of two ports, is kept as two holdings, never joined.
///
/// Small and laid out for the rule: one block of memory, in which what every question reads (the sure hulls,
/// ports, workloads) lies together. 54 bytes a tenancy, and at most an eighth of that spare.
class timeline {
 public:
  timeline() = default;
  timeline(timeline&& other) noexcept { swap(other); }
  timeline& operator=(timeline&& other) noexcept {
    swap(other);
    return *this;
  }
  ~timeline() { release(); }

  /// @pre e.endpoint.address is this timeline's address, e.said() is not empty, and the errors are not
  /// negative.
  /// @returns whether anything changed.
  bool merge(const evidence& e);
  /// Whether there is a holding that this evidence would extend.
  bool knows(const evidence& e) const;
  /// Forgets the tenancies that ended, as far as was said, before `cutoff`. @returns how many.
  std::size_t forget_before(nanos cutoff);

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// @pre index < size(). In the order of (tenancy, workload, port): the same evidence gives the same
  /// timeline, whatever order it came in.
  holding at(std::size_t index) const;
  /// What the block takes from the allocator's caller.
  std::size_t bytes() const;
  /// Brings the part that questions read into the cache; or, of a short one, everything, as merging needs it.
  void prefetch() const;
  void prefetch_all() const;

  /// Visits (tenancy, workload) of each holding of the port, or the whole address, whose sure hull meets the
  /// need.
  template <class Visit>
  void each_sure(std::uint16_t port, const need& n, Visit&& visit) const {
    const bool meets = n.demand == need::demand::meet;
    const nanos begins_by = meets ? n.last : n.first;
    const nanos ends_after = meets ? n.first : n.last;
    const interval* const hulls = sure();
    const std::uint16_t* const of = ports();
    for (std::uint32_t start = 0; start < count_; start += 64) {
      const std::uint32_t end = count_ - start < 64 ? count_ : start + 64;
      // Without branches: which of them qualifies is what no processor can guess.
      std::uint64_t qualify = 0;
      for (std::uint32_t i = start; i < end; ++i) {
        const unsigned q = static_cast<unsigned>(hulls[i].from <= begins_by) &
                           static_cast<unsigned>(hulls[i].until > ends_after) &
                           (static_cast<unsigned>(of[i] == 0) | static_cast<unsigned>(of[i] == port));
        qualify |= std::uint64_t{q} << (i - start);
      }
      for (; qualify != 0; qualify &= qualify - 1) {
        const auto i = start + static_cast<std::uint32_t>(std::countr_zero(qualify));
        visit(tenancies()[i], workloads()[i]);
      }
    }
  }
  bool any_said(std::uint16_t port, const need& n) const;
  bool any_of(std::uint16_t port) const;
  interval reach(std::uint16_t port) const;

 private:
  void swap(timeline& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(count_, other.count_);
    std::swap(capacity_, other.capacity_);
  }
  void release();
  void insert(std::uint32_t index, const holding& h);
  std::uint32_t lower_bound(const evidence& e) const;
  bool is(std::uint32_t index, const evidence& e) const;
  bool is_of(std::uint32_t index, std::uint16_t port) const {
    return ports()[index] == 0 || ports()[index] == port;
  }

  // The arrays follow each other in the block, each for `capacity_` elements.
  static std::size_t workloads_at(std::size_t capacity) { return capacity * sizeof(interval); }
  static std::size_t ports_at(std::size_t capacity) {
    return workloads_at(capacity) + capacity * sizeof(workload_id);
  }
  static std::size_t tenancies_at(std::size_t capacity) {
    return (ports_at(capacity) + capacity * sizeof(std::uint16_t) + 7) / 8 * 8;
  }
  static std::size_t said_at(std::size_t capacity) {
    return tenancies_at(capacity) + capacity * sizeof(tenancy_id);
  }
  static std::size_t block_bytes(std::size_t capacity) {
    return said_at(capacity) + capacity * sizeof(interval);
  }

  template <class T>
  T* array(std::size_t offset) const {
    return reinterpret_cast<T*>(block_ + offset);
  }
  // An empty hull is {time_max, time_min} in here, so that no comparison with it is ever true.
  interval* sure() const { return array<interval>(0); }
  workload_id* workloads() const { return array<workload_id>(workloads_at(capacity_)); }
  std::uint16_t* ports() const { return array<std::uint16_t>(ports_at(capacity_)); }
  tenancy_id* tenancies() const { return array<tenancy_id>(tenancies_at(capacity_)); }
  interval* said() const { return array<interval>(said_at(capacity_)); }

  std::byte* block_ = nullptr;
  std::uint32_t count_ = 0;
  std::uint32_t capacity_ = 0;
};

}  // namespace tenure
