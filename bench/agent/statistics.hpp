#pragma once

#include <vector>

namespace tenure::bench {

double median(std::vector<double> values);

/// The median of some values, and an interval that holds the true median with at least 95 %, whatever the
/// values' distribution: from the binomial order statistics (the sign test's interval).
struct median_interval {
  double median = 0;
  double low = 0;
  double high = 0;
};
median_interval median_with_interval(std::vector<double> values);

}  // namespace tenure::bench
