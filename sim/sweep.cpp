#include "sim/sweep.hpp"

#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "ownership/hexadecimal.hpp"
#include "ownership/invariant.hpp"
#include "sim/trace_hash.hpp"

namespace tenure::sim {
namespace {

using cells = std::vector<std::string>;

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(at);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool fits_a_cell(std::string_view text) {
  return !text.empty() && text.find_first_of(",\"\n\r") == std::string_view::npos;
}

/// @param with_baselines false: of what makes the world alone
std::uint64_t digest(const scenario& s, bool with_baselines) {
  trace_hash all;
  all.add(s.name);
  for (const auto& [key, value] : all_options(s)) {
    if (!with_baselines && key.starts_with("baselines.")) continue;
    all.add(key);
    all.add(value);
  }
  return all.value();
}

/// The points of the grid, and at each of them what varies alone.
std::vector<cells> points(const std::vector<sweep_axis>& axes) {
  std::vector<cells> all = {cells(axes.size())};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].alone) continue;
    std::vector<cells> longer;
    for (const auto& point : all)
      for (const auto& value : axes[i].values) {
        longer.push_back(point);
        longer.back()[i] = value;
      }
    all = std::move(longer);
  }
  std::vector<cells> with_lone;
  for (const auto& point : all) {
    with_lone.push_back(point);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      if (!axes[i].alone) continue;
      for (const auto& value : axes[i].values) {
        with_lone.push_back(point);
        with_lone.back()[i] = value;
      }
    }
  }
  return with_lone;
}

}  // namespace

outcome<sweep_axis> parse_axis(std::string_view text, bool alone) {
  const auto equals = text.find('=');
  const auto wrong = [&] {
    return fail(trouble::usage, fmt::format("expected KEY=VALUE,VALUE..., not '{}'", text));
  };
  if (equals == std::string_view::npos) return wrong();
  sweep_axis axis;
  axis.name = text.substr(0, equals);
  axis.keys = split(axis.name, '+');
  axis.values = split(text.substr(equals + 1), ',');
  axis.alone = alone;
  for (const auto& key : axis.keys)
    if (!fits_a_cell(key)) return wrong();
  for (const auto& value : axis.values)
    if (!fits_a_cell(value)) return wrong();
  return axis;
}

outcome<scenario> sweep::changed(const cells& values, std::uint64_t seed) const {
  auto s = source_.make(seed);
  // Presets set many options at once: whatever is named by itself comes after them.
  for (const bool presets : {true, false})
    for (std::size_t i = 0; i < axes_.size(); ++i)
      for (const auto& key : axes_[i].keys) {
        if (values[i].empty() || (key == "preset") != presets) continue;
        if (auto done = set_option(s, key, values[i]); !done) return tl::unexpected(done.error());
      }
  return s;
}

outcome<sweep> sweep::make(scenario_source source, std::vector<sweep_axis> axes, std::uint64_t first_seed,
                           std::uint64_t seeds) {
  if (seeds == 0) return fail(trouble::usage, "--seeds: expected at least 1");
  if (!fits_a_cell(source.name()))
    return fail(trouble::usage, "the scenario's name has a comma or a quote, or is empty");
  sweep s(std::move(source));
  s.axes_ = std::move(axes);
  std::set<std::string> names;
  for (const auto& a : s.axes_)
    for (const auto& key : a.keys)
      if (!names.insert(key).second) return fail(trouble::usage, key + ": varied twice");
  std::set<cells> seen;
  for (const auto& point : points(s.axes_)) {
    if (!seen.insert(point).second) return fail(trouble::usage, "a value is named twice");
    for (std::uint64_t i = 0; i < seeds; ++i) {
      const auto made = s.changed(point, first_seed + i);
      if (!made) return tl::unexpected(made.error());
      s.runs_.push_back({point, first_seed + i, hexadecimal(digest(*made, true))});
    }
  }
  return s;
}

scenario sweep::scenario_of(const sweep_run& r) const {
  auto s = changed(r.cells, r.seed);
  invariant(s.has_value(), "the values were tried when the sweep was made");
  return *std::move(s);
}

std::vector<std::string> sweep::settings_of(const sweep_run& r) const {
  std::vector<std::string> all;
  for (const bool presets : {true, false})
    for (std::size_t i = 0; i < axes_.size(); ++i)
      for (const auto& key : axes_[i].keys)
        if (!r.cells[i].empty() && (key == "preset") == presets) all.push_back(key + '=' + r.cells[i]);
  return all;
}

std::vector<sweep_world> sweep::worlds(const std::vector<std::size_t>& wanted) const {
  std::vector<sweep_world> all;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> known;
  for (const auto place : wanted) {
    const auto& r = runs_[place];
    const auto [at, fresh] = known.try_emplace({digest(scenario_of(r), false), r.seed}, all.size());
    if (fresh) all.emplace_back();
    all[at->second].runs.push_back(place);
  }
  return all;
}

}  // namespace tenure::sim
