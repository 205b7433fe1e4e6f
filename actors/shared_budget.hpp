#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

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

}  // namespace tenure::actors
