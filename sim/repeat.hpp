#pragma once

#include "sim/world.hpp"

namespace tenure::sim {

/// Which runs are done twice whatever they are done for: one seed in twenty.
inline bool is_repeated(std::uint64_t seed) {
  return seed % 20 == 0;
}

/// I8: runs the same once more and complains in `first` when it was another run. What the first run had in
/// memory lies at other addresses now, so that an order by address shows.
void repeat(const scenario& options, std::uint64_t seed, report& first);

}  // namespace tenure::sim
