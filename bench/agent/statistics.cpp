#include "bench/agent/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tenure::bench {

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

median_interval median_with_interval(std::vector<double> values) {
  median_interval result{median(values), 0, 0};
  if (values.empty()) return result;
  std::sort(values.begin(), values.end());
  // The most that may be cut off at each end: P(Binomial(n, 1/2) <= cut - 1) <= 2.5 %.
  const auto n = values.size();
  double probability = std::pow(0.5, static_cast<double>(n));
  double below = probability;
  std::size_t cut = 0;
  while (below <= 0.025 && cut + 1 < n / 2) {
    ++cut;
    probability *= static_cast<double>(n - cut + 1) / static_cast<double>(cut);
    below += probability;
  }
  const auto outer = cut == 0 ? 0 : cut - 1;
  result.low = values[outer];
  result.high = values[n - 1 - outer];
  return result;
}

}  // namespace tenure::bench
