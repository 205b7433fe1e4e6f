#pragma once

#include <vector>

#include "agent/file_descriptor.hpp"
#include "ownership/outcome.hpp"

namespace tenure::bench {

/// As many programs as the agent's, at the same tracepoint, that do nothing: what the kernel takes for being
/// asked at all. Attached while it lives; needs what the agent needs.
class empty_programs {
 public:
  static outcome<empty_programs> attach(std::size_t count = 2);

 private:
  std::vector<agent::file_descriptor> held_;
};

}  // namespace tenure::bench
