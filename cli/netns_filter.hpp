#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "agent/observed_flow.hpp"

namespace tenure::cli {

/// The network namespaces whose sockets are reported; none: all of them. Any thread.
class netns_filter {
 public:
  void set(std::vector<std::uint64_t> cookies) {
    const std::scoped_lock lock(mutex_);
    cookies_ = std::move(cookies);
  }
  void apply(std::vector<agent::observed_flow>& flows) const {
    const std::scoped_lock lock(mutex_);
    if (cookies_.empty()) return;
    std::erase_if(flows, [&](const agent::observed_flow& f) {
      return std::find(cookies_.begin(), cookies_.end(), f.netns_cookie) == cookies_.end();
    });
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> cookies_;
};

}  // namespace tenure::cli
