#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/world.hpp"

namespace tenure::sim {

/// Several runs of one scenario, added up.
struct report_sum {
  std::string scenario;
  std::uint64_t seed = 0;  ///< of the first
  std::uint64_t runs = 0;
  report total;
  double cpu_seconds = 0;
  std::vector<std::uint64_t> failed_seeds;

  void add(const report& r);
};

/// One line of JSON; its keys are stable and stand in docs/simulation.md.
std::string to_json(const report_sum& sum);

}  // namespace tenure::sim
