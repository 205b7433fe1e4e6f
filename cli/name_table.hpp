#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "ownership/huge_allocator.hpp"

namespace tenure::cli {

/// Texts as numbers, not 0 and otherwise in no order. Made for millions, at a few bytes beyond the texts: a
/// number is the place where the text lies, and what is looked up can be asked for beforehand.
class name_table {
 public:
  /// The same for the same text, on any machine.
  static std::uint64_t hash(std::string_view name);
  /// The number of a text, new or known. @param hash of that text
  std::uint32_t intern(std::string_view name, std::uint64_t hash);
  /// Brings into the cache where a name of that hash is looked up.
  void prefetch(std::uint64_t hash) const;

  /// @pre the number is one of this table. Valid as long as the table.
  std::string_view name(std::uint32_t number) const;
  /// Brings it into the cache.
  void prefetch_name(std::uint32_t number) const { __builtin_prefetch(at(number)); }

 private:
  struct slot {
    std::uint32_t hash = 0;
    std::uint32_t number = 0;  // 0: free
  };
  using slots = std::vector<slot, huge_allocator<slot>>;

  // A text is its length, in four bytes, and what it says. Texts begin at multiples of a unit.
  static constexpr std::size_t unit = 8;
  static constexpr std::size_t units_in_chunk = huge_page / unit;
  static constexpr std::size_t length_bytes = sizeof(std::uint32_t);

  char* at(std::uint32_t number) const {
    return chunks_[number / units_in_chunk] + number % units_in_chunk * unit;
  }
  std::uint32_t keep(std::string_view name);
  void grow();
  std::size_t home(std::uint32_t hash) const { return std::uint64_t{hash} * slots_.size() >> 32; }
  std::size_t next(std::size_t place) const { return place + 1 == slots_.size() ? 0 : place + 1; }

  std::vector<std::vector<char, huge_allocator<char>>> memory_;
  std::vector<char*> chunks_;  // in it, each `units_in_chunk` long
  std::uint64_t free_ = 1;     // the next number
  std::size_t count_ = 0;
  slots slots_;  // by hash, or the next that was free
};

}  // namespace tenure::cli
