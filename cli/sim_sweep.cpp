#include "cli/sim_sweep.hpp"

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "cli/progress.hpp"
#include "cli/row_file.hpp"
#include "cli/sim_source.hpp"
#include "cli/whole_output.hpp"
#include "cli/worker_pool.hpp"
#include "sim/repeat.hpp"
#include "sim/report_text.hpp"
#include "sim/sweep_report.hpp"

namespace tenure::cli {
namespace {

struct sweep_options {
  sim_source source;
  std::vector<std::string> each;
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  unsigned jobs = 0;
  std::string csv = "sweep.csv";
  std::string html = "sweep.html";
};

outcome<sim::sweep> make_sweep(const sweep_options& o) {
  auto source = o.source.read({});
  if (!source) return tl::unexpected(source.error());
  std::vector<sim::sweep_axis> axes;
  for (const auto& [texts, alone, flag] :
       {std::tuple(&o.source.set, false, "--set: "), std::tuple(&o.each, true, "--each: ")})
    for (const auto& text : joined_at_commas(*texts)) {
      auto axis = sim::parse_axis(text, alone);
      if (!axis) return fail(trouble::usage, flag + axis.error().text);
      axes.push_back(*std::move(axis));
    }
  return sim::sweep::make(*std::move(source), std::move(axes), o.seed, o.seeds);
}

/// The command that made a sweep, for its report.
std::string sweep_command(const sweep_options& o) {
  const auto quoted = [](const std::string& s) {
    return s.find(' ') == std::string::npos ? s : '\'' + s + '\'';
  };
  std::string text = "tenure sim sweep";
  if (!o.source.scenario.empty()) text += ' ' + quoted(o.source.scenario);
  for (const auto& p : o.source.presets) text += " --preset " + p;
  for (const auto& s : joined_at_commas(o.source.set)) text += " --set " + quoted(s);
  for (const auto& s : joined_at_commas(o.each)) text += " --each " + quoted(s);
  return text + fmt::format(" --seed {} --seeds {}", o.seed, o.seeds);
}

outcome<void> write_whole(const std::string& file, const std::string& text) {
  auto out = whole_output::create(file);
  if (!out) return tl::unexpected(out.error());
  (*out)->buffer() += text;
  return (*out)->commit();
}

/// What a sweep has while it runs.
struct running_sweep {
  const sweep_options& options;
  const sim::sweep& all;
  sim::sweep_table& table;
  row_file& file;
  progress& shown;
  std::size_t died = 0;
};

/// A world's report has come: a row for each run that shares it.
outcome<void> take(running_sweep& s, const sim::sweep_world& world, const outcome<std::string>& text) {
  const auto& first = s.all.runs()[world.runs.front()];
  const auto command = s.options.source.run_command(first.seed, s.all.settings_of(first));
  if (!text) {
    ++s.died;
    s.shown.say(fmt::format("tenure: seed {}: {}; again: {}", first.seed, text.error().text, command));
    return {};
  }
  auto r = sim::report_from(*text);
  r.cpu_seconds /= static_cast<double>(world.runs.size());
  std::string rows;
  for (std::size_t i = 0; i < world.runs.size(); ++i) {
    const auto run = world.runs[i];
    auto cells = sim::sweep_cells(s.all, s.all.runs()[run], r, i == 0 ? r.baselines : r.also_judged[i - 1]);
    rows += sim::csv_line(cells);
    s.table.add(run, std::move(cells));
  }
  if (auto done = s.file.append(rows); !done) return done;
  for (const auto& v : r.violations)
    s.shown.say(fmt::format("tenure: seed {} broke {} at {:.6f} s: {}", r.seed, v.invariant,
                            static_cast<double>(v.time) / 1e9, v.what));
  if (r.violation_count > 0) s.shown.say("tenure: again: " + command);
  s.shown.advance(world.runs.size());
  return {};
}

outcome<std::size_t> run_missing(const sweep_options& o, const sim::sweep& all, sim::sweep_table& table,
                                 row_file& file, console& io) {
  const auto worlds = all.worlds(table.missing());
  const bool terminal = isatty(STDERR_FILENO) == 1;
  progress shown(io.err, "runs", all.runs().size() - table.missing().size(), all.runs().size(), terminal,
                 may_colour(STDERR_FILENO));
  running_sweep s{o, all, table, file, shown};
  const auto job = [&](std::size_t n) {
    const auto& runs = worlds[n].runs;
    std::vector<sim::baseline_options> also;
    for (std::size_t i = 1; i < runs.size(); ++i)
      also.push_back(all.scenario_of(all.runs()[runs[i]]).baselines);
    const auto& first = all.runs()[runs.front()];
    // A sweep has few seeds and many points.
    const bool twice = n % 20 == 19 || sim::is_repeated(first.seed);
    return sim::to_text(run_and_measure(all.scenario_of(first), first.seed, twice, also));
  };
  const auto done = [&](std::size_t n, outcome<std::string> text) { return take(s, worlds[n], text); };
  if (auto ran = worker_pool{o.jobs}.run(worlds.size(), job, done); !ran) return tl::unexpected(ran.error());
  return s.died;
}

outcome<void> run_sweep(const sweep_options& o, console& io) {
  const auto all = make_sweep(o);
  if (!all) return tl::unexpected(all.error());
  auto file = row_file::open(o.csv);
  if (!file) return tl::unexpected(file.error());
  sim::sweep_table table(*all);
  if (auto known = table.read(file->found()); !known)
    return fail(trouble::usage,
                o.csv + ": " + known.error().text + "; remove it, or name another with --csv");
  if (file->found().empty())
    if (auto done = file->append(sim::csv_line(sim::sweep_columns(*all))); !done) return done;
  io.err << fmt::format("tenure: sweep of {}: {} runs, {} of them in {} already\n", all->scenario_name(),
                        all->runs().size(), all->runs().size() - table.missing().size(), o.csv);
  const auto died = run_missing(o, *all, table, *file, io);
  if (!died) return tl::unexpected(died.error());
  // They came in the order in which they ended.
  if (auto done = write_whole(o.csv, table.csv()); !done) return done;
  if (!o.html.empty())
    if (auto done = write_whole(o.html, sim::sweep_html(*all, table, sweep_command(o))); !done) return done;
  std::size_t broken = 0;
  for (std::size_t i = 0; i < all->runs().size(); ++i)
    if (table.has(i) && table.number(i, "violations") > 0) ++broken;
  io.err << fmt::format("tenure: {}{}{}\n", o.csv, o.html.empty() ? "" : ", ", o.html);
  if (broken + *died == 0) return {};
  return fail(trouble::check_failed,
              fmt::format("{} of {} runs broke a promise, {} died", broken, all->runs().size(), *died));
}

}  // namespace

void add_sim_sweep(command_line& line) {
  auto o = std::make_shared<sweep_options>();
  auto& c = line.add("sim sweep", "run a scenario over a grid of options and seeds, into a CSV and a report");
  o->source.add_to(c);
  c.option("set", o->source.set,
           "options, joined by +, with the values that they take together; a grid with the others")
      .shown_as("KEY=V1,V2,...");
  c.option("each", o->each, "the same, varied while the other --each stay as the scenario has them")
      .shown_as("KEY=V1,V2,...");
  c.option("seed", o->seed, "the first");
  c.option("seeds", o->seeds, "how many, for each point");
  c.option("jobs", o->jobs, "how many runs at a time; 0: one for each processor");
  c.option("csv", o->csv, "a row for each run; what is there already is not run again").shown_as("FILE");
  c.option("html", o->html, "the report, a page that needs no other file; empty: none").shown_as("FILE");
  c.run([o](console& io) { return run_sweep(*o, io); });
}

}  // namespace tenure::cli
