#include "cli/sim.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cli/build_commit.hpp"
#include "cli/sim_export.hpp"
#include "cli/sim_plan.hpp"
#include "cli/sim_source.hpp"
#include "cli/sim_sweep.hpp"
#include "cli/worker_pool.hpp"
#include "sim/repeat.hpp"
#include "sim/report_json.hpp"
#include "sim/report_text.hpp"
#include "sim/scenario_file.hpp"
#include "sim/shrink.hpp"
#include "sim/world.hpp"

namespace tenure::cli {
namespace {

struct sim_options {
  sim_source source;
  std::uint64_t seed = 1;
  std::uint64_t runs = 1;
  unsigned jobs = 0;
  std::string json;
  std::string export_to;
  std::string shrunk = "shrunk.toml";
};

/// How a worker says that a history could not be written.
constexpr const char* not_exported = "export";

std::string words_of(const sim::violation& v) {
  return fmt::format("{} at {:.6f} s: {}", v.invariant, static_cast<double>(v.time) / 1e9, v.what);
}

void say_failure(console& io, const sim_options& o, const sim::scenario& s, const sim::report& r) {
  io.err << fmt::format("tenure: seed {} of commit {} broke {} promises\n", r.seed, build_commit(),
                        r.violation_count);
  for (const auto& v : r.violations) io.err << "  " << words_of(v) << '\n';
  io.err << "  options:";
  for (const auto& [key, value] : sim::all_options(s)) io.err << ' ' << key << '=' << value;
  io.err << "\n  again: " << o.source.run_command(r.seed, o.source.set) << "\n";
}

void say_sum(console& io, const sim::report_sum& sum) {
  const auto& t = sum.total.answers;
  const auto share = [](std::uint64_t part, std::uint64_t all) {
    return all == 0 ? 0.0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
  };
  auto& out = io.out;
  const double cpu = std::max(sum.total.cpu_seconds, 1e-9);
  const auto faults = sum.total.faults.total();
  out << fmt::format(
      "{}: {} runs from seed {}, {:.0f} virtual s, {:.0f} instance-s, {:.2f} CPU-s ({:.0f} a CPU-s)\n",
      sum.scenario, sum.runs, sum.seed, sum.total.virtual_seconds, sum.total.instance_seconds,
      sum.total.cpu_seconds, sum.total.instance_seconds / cpu);
  out << fmt::format("engine {}: {} events ({:.0f} a CPU-s), {} faults ({:.0f} a CPU-s)\n", sim::engine,
                     sum.total.events, static_cast<double>(sum.total.events) / cpu, faults,
                     static_cast<double>(faults) / cpu);
  out << fmt::format("{:<16}{:>12}{:>14}{:>16}{:>22}\n", "", "flows", "attributed", "misattributed",
                     "false dependencies");
  out << fmt::format("{:<16}{:>12}{:>13.2f}%{:>16}{:>15} of {}\n", "tenure", t.flows,
                     share(t.attributed, t.flows), t.misattributed, t.false_dependencies, t.dependencies);
  for (const auto& [name, b] : sum.total.baselines)
    out << fmt::format("{:<16}{:>12}{:>13.2f}%{:>16}{:>15} of {}\n", name, b.flows,
                       share(b.attributed, b.flows), b.misattributed, b.false_dependencies, b.dependencies);
  out << "unattributed:";
  for (const auto& [why, n] : t.unattributed) out << ' ' << why << ' ' << n;
  out << fmt::format("\nviolations: {}, hash {:016x}\n", sum.total.violation_count, sum.total.hash);
}

outcome<void> write_json(const sim_options& o, const sim::report_sum& sum) {
  if (o.json.empty()) return {};
  std::ofstream file(o.json);
  file << sim::to_json(sum);
  file.close();
  if (!file) return fail(trouble::refused, o.json + ": cannot be written");
  return {};
}

/// Makes the first failing case smaller and writes it down for `sim replay`. It has to break the same
/// promise.
void write_shrunk(console& io, const sim_options& o, const sim::scenario_source& source, std::uint64_t seed) {
  if (o.shrunk.empty()) return;
  constexpr int most_runs = 300;
  io.err << fmt::format("tenure: making seed {} smaller, in {} runs at most\n", seed, most_runs);
  io.err.flush();
  bool twice = false;
  const auto run = [&](const sim::scenario& s) {
    auto r = sim::run(s, seed);
    if (twice) sim::repeat(s, seed, r);
    return r;
  };
  auto first = run(source.make(seed));
  if (first.violations.empty()) {
    twice = true;  // I8 alone: no single run shows it
    first = run(source.make(seed));
  }
  if (first.violations.empty()) return;
  const auto& promise = first.violations.front().invariant;
  const sim::violation* shown = nullptr;
  sim::report last;
  const auto fails = [&](const sim::scenario& s) -> std::optional<sim::event_count> {
    auto r = run(s);
    const auto same = std::ranges::find(r.violations, promise, &sim::violation::invariant);
    if (same == r.violations.end()) return std::nullopt;
    const auto place = same - r.violations.begin();
    last = std::move(r);
    shown = &last.violations[static_cast<std::size_t>(place)];
    return sim::event_count{last.troubles, last.attempts};
  };
  const auto small = sim::shrink(source.make(seed), fails, most_runs);
  std::vector<std::string> words{
      fmt::format("seed {} of {}, made smaller; commit {}", seed, source.name(), build_commit())};
  if (shown != nullptr) words.push_back(words_of(*shown));
  std::ofstream file(o.shrunk);
  file << sim::to_toml(small, seed, words);
  file.close();
  if (file)
    io.err << fmt::format("tenure: a smaller case of seed {}: tenure sim replay {}\n", seed, o.shrunk);
  else
    io.err << fmt::format("tenure: {}: cannot be written\n", o.shrunk);
}

/// All runs, in worker processes, added up in the order of their seeds.
outcome<sim::report_sum> run_all(const sim_options& o, const sim::scenario_source& source, console& io) {
  sim::report_sum sum;
  std::map<std::size_t, sim::report> early;
  std::size_t next = 0;
  const auto run_number = [&](std::size_t i) {
    const auto seed = o.seed + i;
    const auto scenario = source.make(seed);
    // By the seed, so that the command for it alone does the same.
    const bool twice = sim::is_repeated(seed);
    if (o.export_to.empty()) return sim::to_text(run_and_measure(scenario, seed, twice));
    sim::kept_history history;
    auto r = run_and_measure(scenario, seed, twice, {}, &history);
    const std::filesystem::path folder = o.export_to;
    const auto done = export_history(o.runs == 1 ? folder : folder / std::to_string(seed), history);
    if (!done) r.violations.push_back({not_exported, 0, done.error().text});
    return sim::to_text(r);
  };
  const auto done = [&](std::size_t i, outcome<std::string> text) -> outcome<void> {
    if (!text)
      return fail(trouble::check_failed, fmt::format("seed {}: {}; again: {}", o.seed + i, text.error().text,
                                                     o.source.run_command(o.seed + i, o.source.set)));
    auto report = sim::report_from(*text);
    if (!report.violations.empty() && report.violations.back().invariant == not_exported)
      return fail(trouble::refused, "--export: " + report.violations.back().what);
    early.emplace(i, std::move(report));
    for (auto r = early.find(next); r != early.end(); r = early.find(++next)) {
      if (r->second.violation_count > 0) say_failure(io, o, source.make(r->second.seed), r->second);
      sum.add(r->second);
      early.erase(r);
    }
    return {};
  };
  if (auto ran = worker_pool{o.jobs}.run(o.runs, run_number, done); !ran) return tl::unexpected(ran.error());
  return sum;
}

/// A history is told in the time of one node.
outcome<void> check_export(const sim_options& o, const sim::scenario_source& source) {
  if (o.export_to.empty()) return {};
  for (std::uint64_t i = 0; i < o.runs; ++i)
    if (source.make(o.seed + i).cluster.nodes != 1)
      return fail(trouble::usage,
                  fmt::format("--export: seed {} has several nodes; add --set cluster.nodes=1", o.seed + i));
  return {};
}

outcome<void> run_sim(const sim_options& o, console& io) {
  const auto source = o.source.read(o.source.set);
  if (!source) return tl::unexpected(source.error());
  if (o.runs == 0) return fail(trouble::usage, "--runs: expected at least 1");
  if (auto possible = check_export(o, *source); !possible) return possible;
  io.err << fmt::format("tenure: {}, seeds {} to {}\n", source->name(), o.seed, o.seed + o.runs - 1);
  io.err.flush();
  const auto sum = run_all(o, *source, io);
  if (!sum) return tl::unexpected(sum.error());
  say_sum(io, *sum);
  if (auto written = write_json(o, *sum); !written) return written;
  if (sum->failed_seeds.empty()) return {};
  write_shrunk(io, o, *source, sum->failed_seeds.front());
  return fail(trouble::check_failed,
              fmt::format("{} of {} seeds broke a promise; the first again: {}", sum->failed_seeds.size(),
                          sum->runs, o.source.run_command(sum->failed_seeds.front(), o.source.set)));
}

outcome<void> replay(const std::string& path, console& io) {
  const auto source = sim::scenario_source::read(path);
  if (!source) return tl::unexpected(source.error());
  if (!source->seed()) return fail(trouble::usage, path + ": names no seed; `sim run` takes scenarios");
  sim_options o;
  o.source.scenario = path;
  o.seed = *source->seed();
  o.shrunk.clear();
  return run_sim(o, io);
}

}  // namespace

void add_sim(command_line& line) {
  line.group("sim", "the production actors in a simulated fleet, judged by an oracle");
  auto o = std::make_shared<sim_options>();
  auto& c = line.add("sim run", "run a scenario, and fail when a promise is broken");
  o->source.add_to(c);
  c.option("seed", o->seed, "of the first run; it decides everything");
  c.option("runs", o->runs, "how many, each with the next seed");
  c.option("jobs", o->jobs, "how many at a time; 0: one for each processor");
  c.option("set", o->source.set, "an option of the scenario, over what the file says; repeatable")
      .shown_as("KEY=VALUE");
  c.option("json", o->json, "where to write the summary as one JSON object").shown_as("FILE");
  c.option("export", o->export_to,
           "a folder for truth, evidence and flows, as `tenure attribute` and `tenure check` read them; with "
           "several runs one folder in it for each seed")
      .shown_as("DIR");
  c.option("shrunk", o->shrunk, "where to write a smaller case of the first seed that fails; empty: nowhere")
      .shown_as("FILE");
  c.run([o](console& io) { return run_sim(*o, io); });

  add_sim_sweep(line);
  add_sim_plan(line);

  auto file = std::make_shared<std::string>();
  auto& r = line.add("sim replay", "run a case that sim run wrote down");
  r.positional("file", *file, "what --shrunk wrote");
  r.run([file](console& io) { return replay(*file, io); });
}

}  // namespace tenure::cli
