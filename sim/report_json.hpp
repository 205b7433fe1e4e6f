#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/world.hpp"

namespace tenure::sim {

/// Which way a figure came about. There is one: the production actors, over links with the real bytes.
inline constexpr const char* engine = "full";

/// Several runs of one scenario, added up.
struct report_sum {
  std::string scenario;
  std::uint64_t seed = 0;  ///< of the first
  std::uint64_t runs = 0;
  report total;
  std::vector<std::uint64_t> failed_seeds;

  void add(const report& r);
};

/// One line of JSON; its keys are stable and stand in docs/simulation.md.
std::string to_json(const report_sum& sum);

}  // namespace tenure::sim
