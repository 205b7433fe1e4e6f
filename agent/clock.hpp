#pragma once

#include "ownership/time.hpp"

namespace tenure::agent {

/// Where the agent reads time. The mains hand in the real one, the simulator its own.
class boot_clock {
 public:
  virtual ~boot_clock() = default;
  /// CLOCK_BOOTTIME: runs on through suspend, no step can touch it.
  virtual nanos now() const = 0;
};

}  // namespace tenure::agent
