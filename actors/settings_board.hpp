#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "capnp/messages.hpp"

namespace tenure::actors {

/// The settings that a node has for its agents; each session sends them once, and again when they change. Any
/// thread.
class settings_board {
 public:
  void put(wire::settings s) {
    const std::scoped_lock lock(mutex_);
    now_ = std::make_shared<const wire::settings>(std::move(s));
  }
  /// Null: there are none.
  std::shared_ptr<const wire::settings> get() const {
    const std::scoped_lock lock(mutex_);
    return now_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const wire::settings> now_;
};

}  // namespace tenure::actors
