#include "cli/sim_source.hpp"

#include <ctime>

#include <fmt/format.h>

#include "sim/presets.hpp"
#include "sim/repeat.hpp"

namespace tenure::cli {
namespace {

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

}  // namespace

void sim_source::add_to(command& c) {
  c.positional("scenario", scenario,
               "a file such as config/scenarios/swarm.toml; may be left out with --preset", false);
  std::string names;
  for (const auto& p : sim::presets()) names += fmt::format("{}{}", names.empty() ? "" : ", ", p.name);
  c.option("preset", presets, "a published situation, over what the file says: " + names).shown_as("NAME");
}

outcome<sim::scenario_source> sim_source::read(const std::vector<std::string>& settings) const {
  std::string name;
  for (const auto& p : presets) name += (name.empty() ? "" : "+") + p;
  if (scenario.empty() && presets.empty())
    return fail(trouble::usage,
                "no scenario: name a file such as config/scenarios/quiet.toml, or a --preset");
  auto source = scenario.empty() ? sim::scenario_source::plain(name) : sim::scenario_source::read(scenario);
  if (!source) return source;
  for (const auto& p : presets)
    if (auto done = source->set("preset", p); !done)
      return fail(trouble::usage, "--preset: " + done.error().text);
  for (const auto& text : settings) {
    const auto equals = text.find('=');
    if (equals == std::string::npos)
      return fail(trouble::usage, "--set: expected KEY=VALUE, not '" + text + "'");
    if (auto done = source->set(text.substr(0, equals), text.substr(equals + 1)); !done)
      return fail(trouble::usage, "--set: " + done.error().text);
  }
  return source;
}

std::string sim_source::run_command(std::uint64_t seed, const std::vector<std::string>& settings) const {
  const auto quoted = [](const std::string& s) {
    return s.find(' ') == std::string::npos ? s : '\'' + s + '\'';
  };
  std::string text = "tenure sim run";
  if (!scenario.empty()) text += ' ' + quoted(scenario);
  text += fmt::format(" --seed {}", seed);
  for (const auto& p : presets) text += " --preset " + p;
  for (const auto& s : settings) text += " --set " + quoted(s);
  return text;
}

std::vector<std::string> joined_at_commas(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const auto& text : texts) {
    if (text.find('=') == std::string::npos && !all.empty())
      all.back() += ',' + text;
    else
      all.push_back(text);
  }
  return all;
}

sim::report run_and_measure(const sim::scenario& scenario, std::uint64_t seed, bool twice,
                            const std::vector<sim::baseline_options>& also, sim::kept_history* keep) {
  const double began = cpu_seconds();
  auto r = sim::run(scenario, seed, {}, also, keep);
  r.cpu_seconds = cpu_seconds() - began;
  if (twice) sim::repeat(scenario, seed, r);
  return r;
}

}  // namespace tenure::cli
