#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace tenure::actors {

/// How many flows of each batch are not durable yet. Framework-free.
class batch_ledger {
 public:
  /// Enters a batch. @returns whether it is complete at once: it has no flows.
  bool open(std::uint64_t batch, std::size_t flows) {
    if (flows == 0) return true;
    pending_.emplace(batch, flows);
    return false;
  }

  /// So many flows of it are durable. @returns whether that completed it.
  /// @pre the batch is open, and has at least so many flows left
  bool durable(std::uint64_t batch, std::size_t flows);

  std::size_t open_batches() const { return pending_.size(); }

 private:
  std::unordered_map<std::uint64_t, std::size_t> pending_;
};

}  // namespace tenure::actors
