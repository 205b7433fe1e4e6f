#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ownership/address.hpp"
#include "ownership/prefix.hpp"
#include "ownership/time.hpp"
#include "sim/random.hpp"

namespace tenure::sim {

/// Gives out addresses and takes them back, as a cloud's allocator does.
class address_pool {
 public:
  /// Addresses 10.0.0.0 and on.
  address_pool(std::uint32_t size, bool latest_first) : latest_first_(latest_first) {
    for (std::uint32_t i = size; i > 0; --i) free_.push_back({address::v4(0x0a00'0000U + i - 1), time_min});
  }

  /// What nodes route: every pool's addresses, and by a mistake of whoever wrote the configuration link-local
  /// ones, which each host has for itself.
  static prefix_set routable() {
    return prefix_set{{*prefix::parse("10.0.0.0/8"), *prefix::parse("169.254.0.0/16")}};
  }

  /// @returns nothing when every free address is still resting.
  std::optional<address> take(nanos now, random& draw) {
    const std::size_t n = free_.size();
    const std::size_t start = n == 0 || latest_first_ ? 0 : draw.below(n);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t at = latest_first_ ? n - 1 - i : (start + i) % n;
      if (free_[at].rests_until > now) continue;
      const address a = free_[at].where;
      free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(at));
      return a;
    }
    return std::nullopt;
  }

  void give_back(address a, nanos rests_until) { free_.push_back({a, rests_until}); }

  /// It forgot what rests: everything free may be given out at once.
  void restart() {
    for (auto& f : free_) f.rests_until = time_min;
  }

 private:
  struct free_address {
    address where;
    nanos rests_until;
  };
  std::vector<free_address> free_;
  bool latest_first_;
};

}  // namespace tenure::sim
