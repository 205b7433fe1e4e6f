#include "sim/sweep_report.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <string_view>

#include <nlohmann/json.hpp>

#include "sim/report_json.hpp"

namespace tenure::sim {

// Made at build time from sim/sweep_report.html and Debian's Chart.js.
extern const std::string_view report_page;
extern const std::string_view chart_library;

void pooled_share::add(double p, double w) {
  if (w <= 0) return;
  part += p;
  whole += w;
  least = std::min(least, p / w);
  most = std::max(most, p / w);
}

namespace {

/// Sorts "200ms" before "1s" and "5" before "10"; what is no number stays where it was, at the end.
double rank(std::string_view value) {
  static const std::map<std::string_view, double> units = {
      {"", 1}, {"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const auto unit =
      units.find(std::string_view{end, static_cast<std::size_t>(value.data() + value.size() - end)});
  if (error != std::errc{} || unit == units.end()) return std::numeric_limits<double>::max();
  return number * unit->second;
}

void add_run(std::vector<way_figures>& all, const sweep_table& t, std::size_t run) {
  for (std::size_t w = 0; w < sweep_ways().size(); ++w) {
    const auto figure = [&](const char* what) { return t.number(run, sweep_ways()[w] + '_' + what); };
    auto& f = all[w];
    f.flows += figure("flows");
    f.coverage.add(figure("attributed"), figure("flows"));
    f.misattribution.add(figure("misattributed"), figure("flows"));
    f.false_dependencies.add(figure("false_dependencies"), figure("dependencies"));
  }
}

/// The other grid axes of a run, which must be the same all over a section; nothing when a lone axis is off
/// its place.
std::optional<std::vector<std::string>> fixed_of(const sweep& s, const sweep_run& run, std::size_t axis) {
  std::vector<std::string> fixed;
  for (std::size_t i = 0; i < s.axes().size(); ++i) {
    const auto& a = s.axes()[i];
    if (i == axis) continue;
    if (a.alone && !run.cells[i].empty()) return std::nullopt;
    if (!a.alone && a.values.size() > 1) fixed.push_back(a.name + '=' + run.cells[i]);
  }
  return fixed;
}

sweep_section section_of(const sweep& s, const sweep_table& t, std::size_t axis,
                         const std::vector<std::string>& fixed, const std::vector<std::size_t>& runs) {
  sweep_section section;
  section.axis = s.axes()[axis].name;
  section.fixed = fixed;
  section.values = s.axes()[axis].values;
  std::ranges::stable_sort(section.values, {}, [](const std::string& v) { return rank(v); });
  section.figures.assign(section.values.size(), std::vector<way_figures>(sweep_ways().size()));
  section.evidence_error.assign(section.values.size(), 0);
  std::vector<double> seen(section.values.size());
  for (const auto run : runs) {
    const auto at = static_cast<std::size_t>(std::ranges::find(section.values, s.runs()[run].cells[axis]) -
                                             section.values.begin());
    add_run(section.figures[at], t, run);
    section.evidence_error[at] += t.number(run, "evidence_error_seconds");
    ++seen[at];
  }
  for (std::size_t i = 0; i < seen.size(); ++i)
    if (seen[i] > 0) section.evidence_error[i] /= seen[i];
  return section;
}

nlohmann::json to_json(const pooled_share& p) {
  if (p.whole <= 0) return nullptr;
  return {{"value", p.value()}, {"part", p.part}, {"whole", p.whole}, {"least", p.least}, {"most", p.most}};
}

nlohmann::json to_json(const std::vector<way_figures>& ways) {
  nlohmann::json all = nlohmann::json::object();
  for (std::size_t w = 0; w < ways.size(); ++w)
    all[sweep_ways()[w]] = {{"coverage", to_json(ways[w].coverage)},
                            {"misattribution", to_json(ways[w].misattribution)},
                            {"false_dependencies", to_json(ways[w].false_dependencies)},
                            {"flows", ways[w].flows}};
  return all;
}

void replace(std::string& text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  if (at != std::string::npos) text.replace(at, what.size(), with);
}

/// JSON that may stand inside a script element: nothing in it can end the element.
std::string in_script(const nlohmann::json& j) {
  std::string text = j.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  for (auto at = text.find('<'); at != std::string::npos; at = text.find('<', at))
    text.replace(at, 1, "\\u003c");
  return text;
}

}  // namespace

std::vector<sweep_section> sweep_sections(const sweep& s, const sweep_table& t) {
  std::vector<sweep_section> all;
  for (std::size_t axis = 0; axis < s.axes().size(); ++axis) {
    if (s.axes()[axis].values.size() < 2) continue;
    std::map<std::vector<std::string>, std::vector<std::size_t>> groups;
    std::vector<std::vector<std::string>> order;
    for (std::size_t run = 0; run < s.runs().size(); ++run) {
      if (!t.has(run) || s.runs()[run].cells[axis].empty()) continue;
      const auto fixed = fixed_of(s, s.runs()[run], axis);
      if (!fixed) continue;
      auto& group = groups[*fixed];
      if (group.empty()) order.push_back(*fixed);
      group.push_back(run);
    }
    for (const auto& fixed : order) all.push_back(section_of(s, t, axis, fixed, groups[fixed]));
  }
  return all;
}

std::string sweep_html(const sweep& s, const sweep_table& t, const std::string& command) {
  nlohmann::json data = {{"scenario", s.scenario_name()},
                         {"engine", engine},
                         {"command", command},
                         {"ways", sweep_ways()},
                         {"runs", 0},
                         {"seeds", 0},
                         {"violations", 0},
                         {"wanted", s.runs().size()}};
  std::vector<way_figures> total(sweep_ways().size());
  double violations = 0;
  double instance_seconds = 0;
  std::map<std::uint64_t, int> seeds;
  for (std::size_t run = 0; run < s.runs().size(); ++run) {
    if (!t.has(run)) continue;
    add_run(total, t, run);
    violations += t.number(run, "violations");
    instance_seconds += t.number(run, "instance_seconds");
    ++seeds[s.runs()[run].seed];
  }
  data["runs"] = s.runs().size() - t.missing().size();
  data["seeds"] = seeds.size();
  data["violations"] = violations;
  data["instance_seconds"] = instance_seconds;
  data["total"] = to_json(total);
  data["sections"] = nlohmann::json::array();
  for (const auto& section : sweep_sections(s, t)) {
    nlohmann::json figures = nlohmann::json::array();
    for (const auto& ways : section.figures) figures.push_back(to_json(ways));
    data["sections"].push_back({{"axis", section.axis},
                                {"values", section.values},
                                {"fixed", section.fixed},
                                {"figures", figures},
                                {"evidence_error", section.evidence_error}});
  }
  std::string page{report_page};
  replace(page, "/*DATA*/", in_script(data));
  replace(page, "/*CHART*/", chart_library);
  return page;
}

}  // namespace tenure::sim
