#pragma once

#include <string>
#include <utility>

#include "demo/platform.hpp"

namespace tenure::demo {

/// Speaks to a running agent over its Unix socket (docs/ipman.md), as any platform does.
class ipman_platform final : public platform {
 public:
  explicit ipman_platform(std::string socket) : socket_(std::move(socket)) {}
  outcome<std::string> set(address a, const std::string& workload, const std::string& netns) override;
  outcome<void> del(address a, const std::string& netns) override;

 private:
  std::string socket_;
};

}  // namespace tenure::demo
