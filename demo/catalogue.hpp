#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tenure::demo {

using workload_index = std::uint32_t;

/// A workload of the fleet and whom it calls. Every instance of every workload also answers.
struct workload_kind {
  std::string_view name;
  std::span<const workload_index> calls;
  /// Its share of the fleet's instances.
  std::uint32_t weight = 1;
};

/// The fleet: a little shop.
std::span<const workload_kind> catalogue();

}  // namespace tenure::demo
