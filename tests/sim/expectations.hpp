#pragma once

#include <gtest/gtest.h>

#include "sim/world.hpp"

namespace tenure::sim {

inline void expect_no_violation(const report& r) {
  for (const auto& v : r.violations)
    ADD_FAILURE() << r.scenario << ", seed " << r.seed << ": " << v.invariant << " at " << v.time
                  << " ns: " << v.what;
}

}  // namespace tenure::sim
