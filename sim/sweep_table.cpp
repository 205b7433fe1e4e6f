#include "sim/sweep_table.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "ownership/hexadecimal.hpp"
#include "ownership/invariant.hpp"
#include "ownership/verdict.hpp"
#include "sim/report_json.hpp"

namespace tenure::sim {
namespace {

constexpr reason reasons[] = {reason::no_evidence, reason::before_first, reason::after_last, reason::between,
                              reason::clock,       reason::conflict,     reason::external,   reason::local};

std::string underscored(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string share(double part, double all) {
  return all > 0 ? fmt::format("{:.6f}", part / all) : "";
}

std::vector<std::string> split(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const auto comma = line.find(',');
    cells.emplace_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

template <class Result>
void put_way(std::vector<std::string>& out, const Result& r) {
  out.push_back(std::to_string(r.flows));
  out.push_back(std::to_string(r.attributed));
  out.push_back(share(static_cast<double>(r.attributed), static_cast<double>(r.flows)));
  out.push_back(std::to_string(r.misattributed));
  out.push_back(std::to_string(r.dependencies));
  out.push_back(std::to_string(r.false_dependencies));
}

}  // namespace

const std::vector<std::string>& sweep_ways() {
  static const std::vector<std::string> all = {"tenure", "events", "current_owner", "name_range"};
  return all;
}

std::vector<std::string> sweep_columns(const sweep& s) {
  std::vector<std::string> all = {"scenario"};
  for (const auto& a : s.axes()) all.push_back(a.name);
  for (const auto* name : {"options", "seed", "engine"}) all.emplace_back(name);
  for (const auto& way : sweep_ways())
    for (const auto* what :
         {"flows", "attributed", "coverage", "misattributed", "dependencies", "false_dependencies"})
      all.push_back(way + '_' + what);
  for (const auto why : reasons) all.push_back("unattributed_" + std::string{to_string(why)});
  for (const auto* name : {"evidence_error_seconds", "flow_error_seconds", "unproved_seconds", "faults",
                           "violations", "hash", "virtual_seconds", "instance_seconds", "cpu_seconds"})
    all.emplace_back(name);
  return all;
}

std::vector<std::string> sweep_cells(const sweep& s, const sweep_run& run, const report& r,
                                     const std::map<std::string, baseline_result>& baselines) {
  std::vector<std::string> all = {s.scenario_name()};
  for (const auto& c : run.cells) all.push_back(c);
  all.push_back(run.options);
  all.push_back(std::to_string(run.seed));
  all.emplace_back(engine);
  put_way(all, r.answers);
  std::map<std::string, const baseline_result*> by_name;
  for (const auto& [name, b] : baselines) by_name[underscored(name)] = &b;
  for (const auto& way : sweep_ways())
    if (way != "tenure") put_way(all, *by_name.at(way));
  for (const auto why : reasons) {
    const auto n = r.answers.unattributed.find(std::string{to_string(why)});
    all.push_back(std::to_string(n == r.answers.unattributed.end() ? 0 : n->second));
  }
  all.push_back(share(r.errors.evidence_seconds, static_cast<double>(r.errors.evidence)));
  all.push_back(share(r.errors.flow_seconds, static_cast<double>(r.errors.flows)));
  all.push_back(
      share(r.proved.held_seconds - r.proved.proved_seconds, static_cast<double>(r.proved.instances)));
  all.push_back(std::to_string(r.faults.total()));
  all.push_back(std::to_string(r.violation_count));
  all.push_back(hexadecimal(r.hash));
  all.push_back(fmt::format("{:.0f}", r.virtual_seconds));
  all.push_back(fmt::format("{:.0f}", r.instance_seconds));
  all.push_back(fmt::format("{:.6f}", r.cpu_seconds));
  return all;
}

std::string csv_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const auto& c : cells) line += (line.empty() ? "" : ",") + c;
  return line + '\n';
}

sweep_table::sweep_table(const sweep& s) : sweep_(s), columns_(sweep_columns(s)), rows_(s.runs().size()) {}

outcome<void> sweep_table::read(std::string_view csv) {
  using key = std::tuple<std::vector<std::string>, std::string, std::string>;
  std::map<key, std::size_t> wanted;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto& r = sweep_.runs()[i];
    wanted.emplace(key{r.cells, std::to_string(r.seed), r.options}, i);
  }
  const auto axes = static_cast<std::ptrdiff_t>(sweep_.axes().size());
  for (std::size_t number = 1; !csv.empty(); ++number) {
    const auto end = csv.find('\n');
    auto cells = split(csv.substr(0, end));
    csv.remove_prefix(end == std::string_view::npos ? csv.size() : end + 1);
    if (number == 1 && cells == columns_) continue;
    if (number == 1)
      return fail(trouble::usage, "line 1: was written by a sweep of other options, or by another version");
    const auto found = cells.size() != columns_.size()
                           ? wanted.end()
                           : wanted.find({{cells.begin() + 1, cells.begin() + 1 + axes},
                                          cells[static_cast<std::size_t>(axes) + 2],
                                          cells[static_cast<std::size_t>(axes) + 1]});
    if (found == wanted.end())
      return fail(trouble::usage,
                  fmt::format("line {}: no run of this sweep, or the scenario was changed since", number));
    rows_[found->second] = std::move(cells);
  }
  return {};
}

void sweep_table::add(std::size_t run, std::vector<std::string> cells) {
  invariant(cells.size() == columns_.size(), "a row has a cell for each column");
  rows_[run] = std::move(cells);
}

std::vector<std::size_t> sweep_table::missing() const {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i].empty()) all.push_back(i);
  return all;
}

std::string sweep_table::csv() const {
  std::string text = csv_line(columns_);
  for (const auto& row : rows_)
    if (!row.empty()) text += csv_line(row);
  return text;
}

std::size_t sweep_table::place_of(std::string_view column) const {
  const auto found = std::ranges::find(columns_, column);
  invariant(found != columns_.end(), "a sweep has this column");
  return static_cast<std::size_t>(found - columns_.begin());
}

const std::string& sweep_table::cell(std::size_t run, std::string_view column) const {
  return rows_.at(run).at(place_of(column));
}

double sweep_table::number(std::size_t run, std::string_view column) const {
  const auto& text = cell(run, column);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace tenure::sim
