#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ownership/address.hpp"
#include "ownership/huge_allocator.hpp"

namespace tenure {

/// Numbers by the hashes of addresses: eight bytes each in an open-addressing table, at most three quarters
/// full. It knows 32 bits of each hash, so whoever asks compares the address itself.
class address_directory {
 public:
  static constexpr std::uint32_t nobody = 0xffff'ffff;

  static std::uint64_t hash(address a) { return std::hash<address>{}(a); }

  // Always inline: gcc takes a function that only prefetches for one without effect, and leaves calls out.
  [[gnu::always_inline]] void prefetch(std::uint64_t hash) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[hash & mask()]);
  }
  /// The first number with this hash that `is_it(number)`; nobody when there is none.
  template <class IsIt>
  std::uint32_t find(std::uint64_t hash, IsIt&& is_it) const {
    if (slots_.empty()) return nobody;
    for (std::size_t at = hash & mask(); slots_[at] != free; at = (at + 1) & mask()) {
      const auto number = static_cast<std::uint32_t>(slots_[at]);
      if (slots_[at] >> 32 == hash >> 32 && is_it(number)) return number;
    }
    return nobody;
  }
  bool has_room() const { return slots_.size() * 3 > count_ * 4; }
  /// @pre has_room(), number != nobody, and it is not there yet
  void add(std::uint64_t hash, std::uint32_t number) {
    std::size_t at = hash & mask();
    while (slots_[at] != free) at = (at + 1) & mask();
    slots_[at] = hash >> 32 << 32 | number;
    ++count_;
  }
  /// Makes it empty, with room for `count`.
  void clear(std::size_t count) {
    std::size_t size = 16;
    while (size * 3 <= count * 4) size *= 2;
    slots_ = decltype(slots_)(size, free);
    count_ = 0;
  }

  std::size_t bytes() const { return slots_.size() * sizeof(std::uint64_t); }

 private:
  static constexpr std::uint64_t free = ~std::uint64_t{0};

  std::size_t mask() const { return slots_.size() - 1; }

  // The upper half of the hash, then the number. The lower half says where. A power of two of them, or none.
  std::vector<std::uint64_t, huge_allocator<std::uint64_t>> slots_;
  std::size_t count_ = 0;
};

}  // namespace tenure
