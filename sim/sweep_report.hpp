#pragma once

#include <string>
#include <vector>

#include "sim/sweep_table.hpp"

namespace tenure::sim {

/// A share over the seeds of one point: pooled, and the least and the most of one seed; in [0, 1].
struct pooled_share {
  double part = 0;
  double whole = 0;
  double least = 1;
  double most = 0;

  void add(double p, double w);
  double value() const { return whole > 0 ? part / whole : 0; }
};

/// What one way of attributing came to at one point.
struct way_figures {
  pooled_share coverage;
  pooled_share misattribution;
  pooled_share false_dependencies;
  double flows = 0;
};

/// One thing varied, all else the same.
struct sweep_section {
  std::string axis;
  std::vector<std::string> values;                ///< of the axis, smallest first where they are numbers
  std::vector<std::string> fixed;                 ///< "KEY=VALUE" of the other grid axes
  std::vector<std::vector<way_figures>> figures;  ///< by value, then in the order of sweep_ways()
  std::vector<double> evidence_error;             ///< by value, seconds; what was measured
};

/// Only of runs that have a row.
std::vector<sweep_section> sweep_sections(const sweep& s, const sweep_table& t);

/// A page that needs nothing else: no network, no other file. @param command what made it
std::string sweep_html(const sweep& s, const sweep_table& t, const std::string& command);

}  // namespace tenure::sim
