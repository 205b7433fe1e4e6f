#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <utility>

#include "ownership/outcome.hpp"

namespace tenure::agent {

/// Looks at this host that failed, so that nothing was proved: counted each time, said once for a reason. Any
/// thread.
class look_failures {
 public:
  /// @param say is called with the reason when a look fails, unless the one before failed for the same;
  /// empty: nobody is told
  explicit look_failures(std::function<void(const std::string&)> say = {}) : say_(std::move(say)) {}

  void failed(const failure& why) {
    ++count_;
    const std::scoped_lock lock(mutex_);
    if (last_ == why.text) return;
    last_ = why.text;
    if (say_) say_(last_);
  }
  void worked() {
    const std::scoped_lock lock(mutex_);
    last_.clear();
  }
  std::uint64_t count() const { return count_; }

 private:
  std::function<void(const std::string&)> say_;
  std::atomic<std::uint64_t> count_ = 0;
  std::mutex mutex_;
  std::string last_;
};

}  // namespace tenure::agent
