#include "cli/sim_plan.hpp"

#include <chrono>
#include <memory>
#include <ostream>

#include <fmt/format.h>

#include "cli/sim_source.hpp"
#include "sim/plan.hpp"

namespace tenure::cli {
namespace {

struct plan_options {
  sim_source source;
  double coverage = 0.995;
  double loss = 0;
  std::chrono::nanoseconds evidence_error{std::chrono::milliseconds{2}};
  std::chrono::nanoseconds flow_error{std::chrono::milliseconds{6}};
};

outcome<void> run_plan(const plan_options& o, console& io) {
  if (o.coverage <= 0 || o.coverage >= 1)
    return fail(trouble::usage, "--coverage: expected a share between 0 and 1");
  if (o.loss < 0 || o.loss >= 1) return fail(trouble::usage, "--heartbeat-loss: expected a share below 1");
  const auto source = o.source.read(o.source.set);
  if (!source) return tl::unexpected(source.error());
  const auto scenario = source->make(1);
  sim::plan_inputs in;
  in.lifetimes = scenario.fleet.lifetimes;
  in.heartbeat_loss = o.loss;
  in.evidence_error = o.evidence_error.count();
  in.flow_error = o.flow_error.count();
  io.out << fmt::format("{}, clock errors {} (evidence) and {} (flows), {:.0f} % of heartbeats lost\n",
                        source->name(), duration_text(o.evidence_error), duration_text(o.flow_error),
                        100 * o.loss);
  io.out << fmt::format("{:<22}", "endings unreported");
  constexpr nanos heartbeats[] = {second, 5 * second, 10 * second, 30 * second, 60 * second};
  for (const auto h : heartbeats) io.out << fmt::format("{:>10}", fmt::format("{} s", h / second));
  io.out << fmt::format("  heartbeat for {:.2f} %\n", 100 * o.coverage);
  for (const double unreported : {0.0, 0.01, 0.1, 0.5, 1.0}) {
    in.unreported = unreported;
    io.out << fmt::format("{:<22}", fmt::format("{:.1f} %", 100 * unreported));
    for (const auto h : heartbeats) {
      in.heartbeat = h;
      io.out << fmt::format("{:>8.3f} %", 100 * sim::planned_coverage(in));
    }
    const auto needed = sim::heartbeat_for(o.coverage, in);
    io.out << "  "
           << (!needed                      ? "clock errors alone cost more"
               : *needed >= 86'400 * second ? "any"
                                            : fmt::format("{:.1f} s", static_cast<double>(*needed) / 1e9))
           << '\n';
  }
  return {};
}

}  // namespace

void add_sim_plan(command_line& line) {
  auto o = std::make_shared<plan_options>();
  auto& c = line.add("sim plan",
                     "reckon the coverage of a fleet from its lives, heartbeat and clocks; runs nothing");
  o->source.add_to(c);
  c.option("set", o->source.set, "an option of the scenario, over what the file says").shown_as("KEY=VALUE");
  c.option("coverage", o->coverage, "the share of flows that you want attributed").shown_as("SHARE");
  c.option("evidence-error", o->evidence_error,
           "of the stamps of evidence, after correction; sim sweep measures it");
  c.option("flow-error", o->flow_error, "of the stamps of flows, after correction");
  c.option("heartbeat-loss", o->loss, "share of heartbeats that never arrive").shown_as("SHARE");
  c.run([o](console& io) { return run_plan(*o, io); });
}

}  // namespace tenure::cli
