#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ownership/outcome.hpp"
#include "sim/sweep.hpp"
#include "sim/world.hpp"

namespace tenure::sim {

/// The ways of attributing that a row has figures of, ours first: "tenure", "events", "current_owner", ...
const std::vector<std::string>& sweep_ways();

/// The columns of a sweep's CSV; docs/simulation.md says what each holds. Cells hold neither commas nor
/// quotes.
std::vector<std::string> sweep_columns(const sweep& s);
/// One run's row. @param baselines what they came to with this run's options
std::vector<std::string> sweep_cells(const sweep& s, const sweep_run& run, const report& r,
                                     const std::map<std::string, baseline_result>& baselines);

/// One line of CSV, with its line feed.
std::string csv_line(const std::vector<std::string>& cells);

/// The rows of a sweep that there are so far.
class sweep_table {
 public:
  explicit sweep_table(const sweep& s);

  /// Takes what an earlier sweep wrote; whole lines only. Fails with the line's number when it belongs to
  /// another sweep, or to a scenario that was changed since.
  outcome<void> read(std::string_view csv);
  void add(std::size_t run, std::vector<std::string> cells);

  bool has(std::size_t run) const { return !rows_[run].empty(); }
  /// Of `sweep::runs()`, those without a row.
  std::vector<std::size_t> missing() const;
  /// All that is there in the order of the runs, header first.
  std::string csv() const;

  /// @pre has(run)
  const std::string& cell(std::size_t run, std::string_view column) const;
  double number(std::size_t run, std::string_view column) const;

 private:
  std::size_t place_of(std::string_view column) const;

  const sweep& sweep_;
  std::vector<std::string> columns_;
  std::vector<std::vector<std::string>> rows_;  ///< by run; empty where there is none
};

}  // namespace tenure::sim
