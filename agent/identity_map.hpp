#pragma once

#include <cstdint>

#include "ownership/endpoint.hpp"
#include "ownership/outcome.hpp"
#include "ownership/tenancy.hpp"

namespace tenure::agent {

/// What the kernel looks a socket's near end up by: one endpoint in one network namespace.
struct identity_key {
  std::uint64_t netns_cookie = 0;
  tenure::endpoint endpoint;
  friend auto operator<=>(const identity_key&, const identity_key&) = default;
};

/// The maps from which the kernel program stamps each socket with its tenancy. When `put` or `erase` has
/// returned, the next socket sees it.
class identity_map {
 public:
  virtual ~identity_map() = default;
  virtual outcome<void> put(const identity_key& key, tenancy_id tenancy) = 0;
  virtual outcome<void> erase(const identity_key& key) = 0;
};

}  // namespace tenure::agent
