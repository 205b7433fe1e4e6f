#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ownership/workload_table.hpp"

/// What a block says once, and its records only by number. One thread at a time.
namespace tenure::sinks {

/// Numbers values in the order in which they first come, from 0: the same thousands come again and again, one
/// different from the one before.
class value_numbers {
 public:
  value_numbers() : slots_(std::size_t{1} << bits_) {}

  std::uint32_t number(std::uint64_t value) {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = value * 0x9e37'79b9'7f4a'7c15ULL >> (64 - bits_);; at = (at + 1) & mask) {
      const std::uint32_t next = slots_[at];
      if (next == 0) return add(at, value);
      if (values_[next - 1] == value) return next - 1;
    }
  }
  const std::vector<std::uint64_t>& values() const { return values_; }
  void clear();

 private:
  std::uint32_t add(std::size_t at, std::uint64_t value);

  unsigned bits_ = 11;
  std::vector<std::uint32_t> slots_;  ///< at least half of them 0; the others are a number and 1
  std::vector<std::uint64_t> values_;
};

/// The same for the names of agents, whose texts are kept from block to block.
class agent_numbers {
 public:
  std::uint32_t number(std::string_view name);
  std::size_t size() const { return used_.size(); }
  std::string_view name(std::uint32_t number) const { return known_[used_[number]].text; }
  void clear();

 private:
  struct agent {
    std::string text;
    std::uint32_t next = 0;  ///< its number and 1; 0: it does not occur yet
  };
  std::deque<agent> known_;
  std::unordered_map<std::string_view, std::uint32_t> by_text_;  ///< in known_
  std::vector<std::uint32_t> used_;
};

/// Names of workloads, for each of which their table is asked once.
class block_names {
 public:
  std::string_view name(std::size_t id, const workload_table& table);

 private:
  std::uint64_t table_ = 0;  ///< serial of the one that was asked
  std::vector<std::string_view> by_id_;
};

}  // namespace tenure::sinks
