#pragma once

#include <string>

#include "ownership/address.hpp"
#include "ownership/outcome.hpp"

namespace tenure::demo {

/// Whom the fleet tells which address is whose, as a container platform would.
class platform {
 public:
  virtual ~platform() = default;
  /// Before the instance's first socket. @returns the id of the tenancy.
  virtual outcome<std::string> set(address a, const std::string& workload, const std::string& netns) = 0;
  /// Returns before the address is released.
  virtual outcome<void> del(address a, const std::string& netns) = 0;
};

}  // namespace tenure::demo
