#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include "actors/shared_budget.hpp"

namespace tenure::actors {

/// What became of the batches of one agent's incarnation: which are on their way and how many of their flows
/// are not durable yet, and which are durable. Framework-free.
///
/// Durable ones are remembered as runs of numbers: an agent that drops batches leaves gaps between them. Of
/// too many, the run with the lowest numbers is forgotten; a repeat of it counts as new.
class batch_ledger {
 public:
  struct limits {
    std::size_t runs = 1024;
    std::size_t always = 64;  ///< even where others have taken all the room
  };
  static constexpr std::int64_t run_bytes = 64;

  /// @param room for the runs of all agents. What is beyond it is what they may have always
  explicit batch_ledger(std::shared_ptr<shared_budget> room) : batch_ledger(std::move(room), limits{}) {}
  batch_ledger(std::shared_ptr<shared_budget> room, limits l) : room_(std::move(room)), limits_(l) {}
  ~batch_ledger() { room_->spend(-static_cast<std::int64_t>(durable_.size()) * run_bytes); }
  batch_ledger(const batch_ledger&) = delete;
  batch_ledger& operator=(const batch_ledger&) = delete;

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
  /// How many runs were forgotten since this was asked last.
  std::size_t take_forgotten() { return std::exchange(forgotten_, 0); }

 private:
  void enter_durable(std::uint64_t batch);

  std::shared_ptr<shared_budget> room_;
  limits limits_;
  std::size_t forgotten_ = 0;
  std::size_t open_flows_ = 0;
  std::unordered_map<std::uint64_t, std::size_t> pending_;  // flows that are left
  std::map<std::uint64_t, std::uint64_t> durable_;          // first of a run -> last of it
};

}  // namespace tenure::actors
