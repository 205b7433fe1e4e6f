#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "transport/transport.hpp"

namespace tenure::transport {

/// Far beyond what anything here takes; it only ends a test that hangs.
inline constexpr std::chrono::seconds patience{20};

/// Keeps what a link's events say, for a test's thread to wait for.
class recorder {
 public:
  link_events events() {
    return {[this](frame f) {
              std::lock_guard lock(mutex_);
              frames_.push_back(std::move(f));
              if (!closes_.empty()) ++after_close_;
              changed_.notify_all();
            },
            [this](close_reason r) {
              std::lock_guard lock(mutex_);
              closes_.push_back(r);
              changed_.notify_all();
            }};
  }

  /// Lets the link be known that an acceptor was given.
  void met(link_ptr l) {
    std::lock_guard lock(mutex_);
    link_ = std::move(l);
    changed_.notify_all();
  }

  link_ptr wait_link() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return link_ != nullptr; });
    return link_;
  }
  bool wait_frames(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return frames_.size() >= count; });
  }
  bool wait_closed() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [this] { return !closes_.empty(); });
  }

  std::vector<frame> frames() {
    std::lock_guard lock(mutex_);
    return frames_;
  }
  /// How often `closed` came, and why.
  std::vector<close_reason> closes() {
    std::lock_guard lock(mutex_);
    return closes_;
  }
  std::size_t frames_after_close() {
    std::lock_guard lock(mutex_);
    return after_close_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  link_ptr link_;
  std::vector<frame> frames_;
  std::vector<close_reason> closes_;
  std::size_t after_close_ = 0;
};

}  // namespace tenure::transport
