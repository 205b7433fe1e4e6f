#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace tenure::actors {

/// Bytes that many take of, each keeping count of its own: those of flows that are held and of batches on
/// their way to that, for one. Any thread.
class shared_budget {
 public:
  explicit shared_budget(std::size_t bytes) : bytes_(static_cast<std::int64_t>(bytes)) {}
  std::size_t bytes() const { return static_cast<std::size_t>(bytes_); }
  std::int64_t used() const { return used_; }
  /// Less than nothing where somebody may pass what there is.
  std::int64_t free() const { return bytes_ - used_; }
  void spend(std::int64_t more) { used_ += more; }

 private:
  std::int64_t bytes_;
  std::atomic<std::int64_t> used_{0};
};

/// Some of a budget, spent for as long as this lives.
class budget_part {
 public:
  budget_part() = default;
  budget_part(std::shared_ptr<shared_budget> budget, std::size_t bytes)
      : budget_(std::move(budget)), bytes_(static_cast<std::int64_t>(bytes)) {
    budget_->spend(bytes_);
  }
  budget_part(budget_part&& other) noexcept : budget_(std::move(other.budget_)), bytes_(other.bytes_) {}
  budget_part& operator=(budget_part&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~budget_part() {
    if (budget_) budget_->spend(-bytes_);
  }

 private:
  std::shared_ptr<shared_budget> budget_;
  std::int64_t bytes_ = 0;
};

/// What evidence on its way to where it is merged takes.
struct evidence_room {
  budget_part of_all;    ///< of the budget for held flows
  budget_part of_agent;  ///< of the agent's own count; none for what other nodes sent
};

}  // namespace tenure::actors
