#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "actors/shared_budget.hpp"

namespace tenure::actors {

/// What a held flow takes of the budget, its place in lots and ledgers included (hold/packed_flow.hpp).
inline constexpr std::int64_t held_flow_bytes = 80;

/// What one agent may send, out of the budget of all. Framework-free.
///
/// The agents share by dynamic thresholds (Choudhury, Hahne: Dynamic queue length thresholds for
/// shared-memory packet switches, 1998): none may use more than `greed` times what is free. One alone gets to
/// greed / (greed + 1) of the budget, n of them to greed / (n greed + 1) each. Should promises of credit have
/// taken everything, an agent of whom nothing is under way may send a single batch even so: each gets on, if
/// slowly. That ends where the budget is passed by an eighth, or by `least_passed`: agents may be made up, or
/// come again and again, each with a batch.
class agent_credit {
 public:
  static constexpr std::int64_t greed = 4;
  /// What an agent may send beyond what was received of it: at first, and at most, once it has used up what
  /// it had again and again. What is promised cannot be taken back, so agents that send little must not sit
  /// on room that others need.
  static constexpr std::int64_t first_window = 32 << 10;
  static constexpr std::int64_t window = 512 << 10;
  static constexpr std::int64_t least_passed = 64 << 20;

  explicit agent_credit(std::shared_ptr<shared_budget> budget) : budget_(std::move(budget)) {}
  ~agent_credit() { budget_->spend(-mine_); }
  agent_credit(const agent_credit&) = delete;
  agent_credit& operator=(const agent_credit&) = delete;

  /// @param speaks whether the agent knows credit; to one that does not, none is given
  /// @param stands_by its batches go to another node for now: it gets no more than lets it begin
  void connected(bool speaks, bool stands_by = false);
  void disconnected();

  /// A batch of so many bytes came. @returns whether it was within credit, passed by no more than a batch
  /// where there is room for that; of an agent that knows none, whether it has no more than its share
  bool received(std::size_t bytes);

  /// That batch was not there yet, and takes so many bytes until `renew` knows better.
  void took(std::size_t bytes) { hold(mine_ + static_cast<std::int64_t>(bytes)); }

  /// Reckons anew. @param held bytes of what was received of this agent and is not durable yet
  /// @param elsewhere bytes of what else of it is under way, and takes of the budget by itself
  /// @returns the credit to be told, when it is worth telling
  std::optional<std::uint64_t> renew(std::size_t held, std::size_t elsewhere = 0);

  /// Whether the agent may soon have to wait for more than it has, so that `renew` is to be called again
  /// soon. Of one that has some, the next batch is reason enough to reckon anew: to ask for ten thousand
  /// agents five times a second took longer than their flows.
  bool wanting() const { return speaks_ && !stands_by_ && ahead() < first_window / 2; }

 private:
  std::int64_t ahead() const { return static_cast<std::int64_t>(granted_ - received_); }
  bool may_pass() const {
    return budget_->free() > -std::max(static_cast<std::int64_t>(budget_->bytes() / 8), least_passed);
  }
  void hold(std::int64_t bytes);

  std::shared_ptr<shared_budget> budget_;
  std::int64_t mine_ = 0;              // of the budget
  std::int64_t elsewhere_ = 0;         // of the budget too, as of the last renewal
  std::int64_t reach_ = first_window;  // how far ahead it may be, bytes
  bool speaks_ = false;
  bool stands_by_ = false;  // and has sent nothing yet
  // Of this connection. An agent may pass its credit by one batch: then more is received than was granted.
  std::uint64_t granted_ = 0;
  std::uint64_t received_ = 0;
};

}  // namespace tenure::actors
