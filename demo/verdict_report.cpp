#include "demo/verdict_report.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace tenure::demo {
namespace {

std::string percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-"
                    : fmt::format("{:.2f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

double milliseconds(nanos n) {
  return static_cast<double>(n) / static_cast<double>(millisecond);
}

}  // namespace

// Of all ends, one in so many may be an orphan that the kernel ended where it runs no program
// (docs/limits.md).
constexpr std::uint64_t most_orphans = 200;

std::vector<std::string> faults(const run_report& r) {
  std::vector<std::string> found;
  const auto& c = r.counts;
  if (c.misattributed > 0)
    found.push_back(fmt::format("{} flows were given to a wrong workload or tenancy", c.misattributed));
  if (r.lost > 0) found.push_back(fmt::format("{} connection ends have no record", r.lost));
  if (r.lost_orphans > r.ends_told / most_orphans)
    found.push_back(fmt::format("{} connection ends whose process had died have no record", r.lost_orphans));
  if (c.unexplained > 0)
    found.push_back(fmt::format("{} records are about connections that nobody made", c.unexplained));
  if (c.unreadable > 0) found.push_back(fmt::format("{} records could not be read", c.unreadable));
  if (c.flows == 0) found.push_back("there are no records at all");
  if (!r.kernel_events_lost) found.push_back("the agent did not say how many kernel events it lost");
  return found;
}

std::string to_json(const run_report& r) {
  const auto& c = r.counts;
  nlohmann::ordered_json j;
  j["flows"] = c.flows;
  j["attributed"] = c.attributed;
  j["unattributed"] = c.unattributed;
  j["misattributed"] = c.misattributed;
  j["lost"] = r.lost;
  j["lost_orphans"] = r.lost_orphans;
  j["kernel_events_lost"] = r.kernel_events_lost ? nlohmann::ordered_json(*r.kernel_events_lost) : nullptr;
  j["baselines"]["current_owner"]["misattributed"] = c.current_owner_misattributed;
  j["both_named"] = c.both_named;
  j["both_named_share"] = c.both_named_share();
  j["near_unnamed"] = c.near_unnamed;
  j["failed_connects"] = c.failed_connects;
  j["repeated"] = c.repeated;
  j["unexplained"] = c.unexplained;
  j["unreadable"] = c.unreadable;
  j["connection_ends"] = r.ends_told;
  j["scenarios"]["reset_by_next_owner"] = c.reset_by_next_owner;
  j["scenarios"]["syn_retried_across_handover"] = c.opened_before_owner;
  j["scenarios"]["connection_outlived_owner"] = c.outlived_owner;
  j["scenarios"]["w_x_w"] = r.churn.by_succession[static_cast<std::size_t>(succession::back_again)];
  j["scenarios"]["same_workload_new_instance"] =
      r.churn.by_succession[static_cast<std::size_t>(succession::same)];
  j["handovers"]["total"] = r.churn.handovers;
  j["handovers"]["graceful"] = r.churn.by_death[static_cast<std::size_t>(death::graceful)];
  j["handovers"]["crash"] = r.churn.by_death[static_cast<std::size_t>(death::crash)];
  j["handovers"]["vanish"] = r.churn.by_death[static_cast<std::size_t>(death::vanish)];
  j["handovers"]["left_vacant"] = r.churn.vacancies;
  j["handovers"]["median_gap_ms"] = milliseconds(r.median_gap);
  j["handovers"]["shortest_gap_ms"] = milliseconds(r.shortest_gap);
  j["seed"] = r.seed;
  j["seconds"] = r.seconds;
  j["interrupted"] = r.interrupted;
  j["examples"] = c.examples;
  j["last_words"] = r.last_words;
  return j.dump(2) + "\n";
}

std::string to_table(const run_report& r, bool colour) {
  const auto& c = r.counts;
  std::string out;
  const auto row = [&](std::string_view what, const std::string& value, std::string_view note = {}) {
    out += fmt::format("  {:<26}{:>12}  {}\n", what, value, note);
  };
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  out += fmt::format("\nVerdict after {:.0f} s, {} hand-overs (seed {}{})\n", r.seconds, r.churn.handovers,
                     r.seed, r.interrupted ? ", interrupted" : "");
  row("flows", number(c.flows),
      fmt::format("{:.0f} records a second, from both ends of each connection",
                  r.seconds > 0 ? static_cast<double>(c.flows) / r.seconds : 0.0));
  row("both workloads named", percent(c.both_named, c.flows));
  row("attributed", number(c.attributed), percent(c.attributed, c.flows) + " of the far ends");
  for (const auto& [reason, count] : c.unattributed) {
    row("unattributed: " + reason, number(count), percent(count, c.flows));
  }
  if (c.near_unnamed > 0)
    row("near end not proved", number(c.near_unnamed), percent(c.near_unnamed, c.flows));
  row("misattributed", number(c.misattributed), "either end, by workload and by tenancy");
  row("lost", number(r.lost), fmt::format("of {} connection ends", r.ends_told));
  if (r.lost_orphans > 0)
    row("lost orphans", number(r.lost_orphans), "ended by the kernel after their process had died, unseen");
  row("kernel events lost", r.kernel_events_lost ? number(*r.kernel_events_lost) : "unknown");
  out += "The same flows, by who holds the address when they are written\n";
  row("current owner: wrong", number(c.current_owner_misattributed),
      percent(c.current_owner_misattributed, c.flows));
  out += "The nasty ones among them\n";
  row("RST by the next owner", number(c.reset_by_next_owner), "flows whose peer vanished in the middle");
  row("SYN across a hand-over", number(c.opened_before_owner), "flows answered by an owner that came later");
  row("outlived the owner", number(c.outlived_owner), "flows still open when the address had moved on");
  row("W, X, W", number(r.churn.by_succession[static_cast<std::size_t>(succession::back_again)]),
      "hand-overs back");
  row("hand-over, median", fmt::format("{:.1f} ms", milliseconds(r.median_gap)),
      fmt::format("shortest {:.1f} ms", milliseconds(r.shortest_gap)));
  const auto wrong = faults(r);
  const char* red = colour ? "\x1b[31;1m" : "";
  const char* green = colour ? "\x1b[32;1m" : "";
  const char* plain = colour ? "\x1b[0m" : "";
  for (const auto& f : wrong) out += fmt::format("{}FAILED{}: {}\n", red, plain, f);
  for (const auto& e : c.examples) out += "  " + e + "\n";
  if (wrong.empty())
    out += fmt::format("{}Right{}: nothing misattributed, nothing lost{}.\n", green, plain,
                       r.lost_orphans > 0 ? " but orphans" : "");
  return out;
}

}  // namespace tenure::demo
