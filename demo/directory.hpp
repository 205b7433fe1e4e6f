#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "demo/catalogue.hpp"
#include "demo/pool.hpp"
#include "demo/unique_fd.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// The fleet's service discovery: which workload is said to be at which slot. Memory that the fleet writes
/// and every instance reads; like real ones it knows nothing of an instance that died without a word.
class directory {
 public:
  /// A new one, empty.
  static outcome<directory> create();
  /// The one that another process created.
  static outcome<directory> attach(unique_fd memory);

  void publish(slot_index s, workload_index w) { table_->said[s].store(w + 1, std::memory_order_relaxed); }
  void withdraw(slot_index s) { table_->said[s].store(0, std::memory_order_relaxed); }
  std::optional<workload_index> at(slot_index s) const;

  int memory() const { return memory_.get(); }

 private:
  struct table {
    std::array<std::atomic<std::uint32_t>, pool::max_slots> said;  // 0: nobody, else workload + 1
  };
  struct unmap {
    void operator()(table* t) const;
  };
  static outcome<directory> map(unique_fd memory);

  unique_fd memory_;
  std::unique_ptr<table, unmap> table_;
};

}  // namespace tenure::demo
