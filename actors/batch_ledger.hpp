#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>

namespace tenure::actors {

/// What became of the batches of one agent's incarnation: which are on their way and how many of their flows
/// are not durable yet, and which are durable. Framework-free.
class batch_ledger {
 public:
  /// @param spans how many runs of durable batches are remembered: an agent that drops batches leaves gaps
  /// between them. Of more, the one with the lowest numbers is forgotten; a repeat of it counts as new.
  explicit batch_ledger(std::size_t spans = 1024) : max_spans_(spans) {}

  enum class standing { unknown, pending, durable };
  standing of(std::uint64_t batch) const;

  /// Enters a batch. @returns whether it is complete at once: it has no flows. @pre it is unknown
  bool open(std::uint64_t batch, std::size_t flows);

  /// So many flows of it are durable. @returns whether that completed it.
  /// @pre the batch is pending, and has at least so many flows left
  bool durable(std::uint64_t batch, std::size_t flows);

  std::size_t open_batches() const { return pending_.size(); }
  /// Of all that is pending.
  std::size_t open_flows() const { return open_flows_; }
  bool empty() const { return pending_.empty() && durable_.empty(); }

 private:
  void enter_durable(std::uint64_t batch);

  std::size_t max_spans_;
  std::size_t open_flows_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> pending_;  // flows that are left
  std::map<std::uint64_t, std::uint64_t> durable_;          // first of a run -> last of it
};

}  // namespace tenure::actors
