// What the agent costs: kernel programs, CPU, memory, and what a real server and client notice of it. Needs
// root, and for the last part nginx and wrk. Figures are for people; no test depends on them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench/agent/counting_node.hpp"
#include "bench/agent/datagrams.hpp"
#include "bench/agent/empty_programs.hpp"
#include "bench/agent/load.hpp"
#include "bench/agent/measured_agent.hpp"
#include "bench/agent/statistics.hpp"
#include "bench/agent/web_pair.hpp"

namespace tenure::bench {
namespace {

using json = nlohmann::ordered_json;

struct options {
  std::string tenure;
  std::string json_file;
  std::vector<std::string> only;
  double steady_seconds = 30;
  double peak_seconds = 60;
  double steady_rate = 1000;
  double peak_rate = 20000;
  double datagram_rate = 20000;
  int rounds = 15;
  int round_seconds = 4;
};

struct world {
  std::string folder;
  arena where;
  std::unique_ptr<counting_node> node;
};

void settle() {
  ::poll(nullptr, 0, 1500);
}

double program_microseconds(const std::map<std::string, program_cost>& costs) {
  double sum = 0;
  for (const auto& [name, cost] : costs)
    if (name.starts_with("socket_state")) sum += static_cast<double>(cost.nanoseconds) / 1000;
  return sum;
}

json programs_json(const std::map<std::string, program_cost>& costs) {
  json all = json::object();
  for (const auto& [name, cost] : costs)
    if (cost.runs > 0) all[name] = {{"runs", cost.runs}, {"nanoseconds", cost.nanoseconds}};
  return all;
}

/// One agent under a steady load. Both ends are on this host, so a connection is two reported sockets.
outcome<json> under_load(const options& o, const world& w, double rate, double seconds,
                         bool with_statistics) {
  auto agent = measured_agent::start(o.tenure, w.node->address(), w.folder,
                                     {w.where.client_path(), w.where.server_path()});
  if (!agent) return tl::unexpected(agent.error());
  std::unique_ptr<program_statistics> statistics;
  if (with_statistics) statistics = std::make_unique<program_statistics>();
  const auto flows_before = w.node->flows();
  const double cpu_before = (*agent)->cpu_seconds();
  const auto load = run_load(w.where, rate, seconds);
  settle();
  const double cpu = (*agent)->cpu_seconds() - cpu_before;
  const auto costs = (*agent)->program_costs();
  const auto resident = (*agent)->resident_bytes();
  const auto peak = (*agent)->peak_resident_bytes();
  const double lost = (*agent)->metric("tenure_agent_events_lost_total");
  const double missed = (*agent)->metric("tenure_agent_runs_missed_total");
  // The programs see every socket of the machine, so what they cost is shared out among all of them.
  const double seen = (*agent)->metric("tenure_agent_events_total") +
                      (*agent)->metric("tenure_agent_loopback_left_out_total");
  (*agent)->stop();
  const auto reported = w.node->flows() - flows_before;
  const auto sockets = 2 * load.connections;
  const auto per_socket = [&](double microseconds) {
    return sockets == 0 ? 0.0 : microseconds / static_cast<double>(sockets);
  };
  const double programs_cost = seen > 0 ? program_microseconds(costs) / seen : 0.0;
  json r{{"connections", load.connections},
         {"failed", load.failed},
         {"connections_per_second", static_cast<double>(load.connections) / load.seconds},
         {"sockets", sockets},
         {"flows_reported", reported},
         {"flows_missing", static_cast<std::int64_t>(sockets) - static_cast<std::int64_t>(reported)},
         {"events_lost", lost},
         {"runs_missed", missed},
         {"agent_cpu_us_per_socket", per_socket(cpu * 1e6)},
         {"agent_cpu_share_of_one_core", cpu / (load.seconds + 1.5)},
         {"agent_resident_bytes", resident},
         {"agent_peak_resident_bytes", peak}};
  if (with_statistics) {
    r["sockets_seen_by_programs"] = seen;
    r["programs_us_per_socket"] = programs_cost;
    r["programs"] = programs_json(costs);
  }
  fmt::print(stderr,
             "  {:.0f} connections/s, {} sockets, {} reported, {} events lost; agent {:.2f} CPU-us a socket, "
             "{:.1f} MiB resident{}\n",
             static_cast<double>(load.connections) / load.seconds, sockets, reported, lost,
             per_socket(cpu * 1e6), static_cast<double>(resident) / 1048576.0,
             with_statistics ? fmt::format("; programs {:.2f} us a socket", programs_cost) : "");
  return r;
}

/// One agent that watches UDP. Each datagram is seen where it is sent and where it is received.
outcome<json> under_datagrams(const options& o, const world& w) {
  constexpr std::size_t flows = 200;
  auto agent = measured_agent::start(o.tenure, w.node->address(), w.folder,
                                     {w.where.client_path(), w.where.server_path()},
                                     {"--udp", "--idle-timeout", "1s"});
  if (!agent) return tl::unexpected(agent.error());
  const program_statistics statistics;
  const auto flows_before = w.node->flows();
  const double cpu_before = (*agent)->cpu_seconds();
  const auto load = run_datagrams(w.where, o.datagram_rate, o.steady_seconds / 2, flows);
  settle();
  settle();
  const double cpu = (*agent)->cpu_seconds() - cpu_before;
  program_cost each;
  for (const auto& [name, cost] : (*agent)->program_costs())
    if (name == "datagram_sent" || name.starts_with("datagram_rec")) {
      each.runs += cost.runs;
      each.nanoseconds += cost.nanoseconds;
    }
  const double untracked = (*agent)->metric("tenure_agent_datagrams_untracked_total");
  (*agent)->stop();
  const double per_run =
      static_cast<double>(each.nanoseconds) / static_cast<double>(std::max<std::uint64_t>(1, each.runs));
  fmt::print(stderr,
             "  {:.0f} datagrams/s sent, {} of {} answered; programs {:.0f} ns a datagram at one end; agent "
             "{:.2f} % of one core\n",
             static_cast<double>(load.sent) / load.seconds, load.answered, load.sent, per_run,
             100 * cpu / (load.seconds + 3));
  return json{{"datagrams_sent", load.sent},
              {"datagrams_answered", load.answered},
              {"datagrams_per_second", static_cast<double>(load.sent) / load.seconds},
              {"sockets", flows},
              {"program_runs", each.runs},
              {"programs_ns_per_datagram_and_end", per_run},
              {"agent_cpu_share_of_one_core", cpu / (load.seconds + 3)},
              {"datagrams_untracked", untracked},
              {"flows_reported", w.node->flows() - flows_before}};
}

/// What is attached to the kernel while nginx and wrk run.
enum class attached : std::uint8_t { nothing, empty_programs, agent };

/// What the agents of all rounds saw.
struct seen_by_agents {
  double events = 0;
  double lost = 0;
  double missed = 0;
};

/// @returns requests a second
outcome<double> one_run(attached what, const options& o, const world& w, web_pair& pair,
                        seen_by_agents& seen) {
  std::optional<empty_programs> empty;
  std::unique_ptr<measured_agent> agent;
  if (what == attached::empty_programs) {
    auto done = empty_programs::attach();
    if (!done) return tl::unexpected(done.error());
    empty = std::move(*done);
  } else if (what == attached::agent) {
    auto started = measured_agent::start(o.tenure, w.node->address(), w.folder,
                                         {w.where.client_path(), w.where.server_path()});
    if (!started) return tl::unexpected(started.error());
    agent = std::move(*started);
  }
  const auto rate = pair.run(o.round_seconds);
  if (!rate || !agent) return rate;
  settle();
  seen.events += agent->metric("tenure_agent_events_total");
  seen.lost += agent->metric("tenure_agent_events_lost_total");
  seen.missed += agent->metric("tenure_agent_runs_missed_total");
  return rate;
}

/// nginx and wrk, by turns with nothing, with empty programs and with an agent.
outcome<json> side_by_side(const options& o, const world& w) {
  auto pair = web_pair::start(w.where, w.folder);
  if (!pair) return tl::unexpected(pair.error());
  if (auto warm = (*pair)->run(2); !warm) return tl::unexpected(warm.error());
  constexpr std::array names{"off", "empty", "on"};
  json runs = json::array();
  std::array<std::vector<double>, 3> rates;
  std::array<std::vector<double>, 3> losses;
  seen_by_agents seen;
  for (int i = 0; i < o.rounds; ++i) {
    json round = json::object();
    // Which comes first changes from round to round, so that a machine that slows down favours none.
    for (int turn = 0; turn < 3; ++turn) {
      const auto which = static_cast<std::size_t>((i + turn) % 3);
      const auto rate = one_run(static_cast<attached>(which), o, w, **pair, seen);
      if (!rate) return tl::unexpected(rate.error());
      rates[which].push_back(*rate);
      round[names[which]] = *rate;
    }
    for (const std::size_t which : {1, 2}) losses[which].push_back(1 - rates[which].back() / rates[0].back());
    fmt::print(stderr, "  round {}: {:.0f}/s off, {:.0f}/s with empty programs, {:.0f}/s on\n", i + 1,
               rates[0].back(), rates[1].back(), rates[2].back());
    runs.push_back(std::move(round));
  }
  const auto empty = median_with_interval(losses[1]);
  const auto loss = median_with_interval(losses[2]);
  fmt::print(stderr,
             "  medians {:.0f}/s off, {:.0f}/s on; loss {:.1f} % ({:.1f} to {:.1f} %), of empty programs "
             "{:.1f} % ({:.1f} to {:.1f} %)\n",
             median(rates[0]), median(rates[2]), 100 * loss.median, 100 * loss.low, 100 * loss.high,
             100 * empty.median, 100 * empty.low, 100 * empty.high);
  return json{{"rounds", o.rounds},
              {"seconds_each", o.round_seconds},
              {"median_off_per_second", median(rates[0])},
              {"median_empty_per_second", median(rates[1])},
              {"median_on_per_second", median(rates[2])},
              {"events", seen.events},
              {"events_lost", seen.lost},
              {"runs_missed", seen.missed},
              {"loss_median", loss.median},
              {"loss_interval_95", {loss.low, loss.high}},
              {"empty_loss_median", empty.median},
              {"empty_loss_interval_95", {empty.low, empty.high}},
              {"runs", std::move(runs)}};
}

outcome<void> run(const options& o) {
  char pattern[] = "/tmp/tenure-bench-XXXXXX";
  const char* folder = ::mkdtemp(pattern);
  if (folder == nullptr) return fail(trouble::refused, "cannot make a folder under /tmp");
  auto where = arena::make(fmt::format("tb{}", ::getpid() % 100000));
  if (!where) return tl::unexpected(where.error());
  auto node = counting_node::start();
  if (!node) return tl::unexpected(node.error());
  const world w{folder, std::move(*where), std::move(*node)};
  json all = json::object();
  const auto wanted = [&](const char* part) {
    return o.only.empty() || std::ranges::find(o.only.begin(), o.only.end(), part) != o.only.end();
  };
  const auto add = [&](const char* part, const auto& measure) -> outcome<void> {
    if (!wanted(part)) return {};
    fmt::print(stderr, "{}\n", part);
    auto result = measure();
    if (!result) return tl::unexpected(result.error());
    all[part] = std::move(*result);
    return {};
  };
  for (const auto& done :
       {add("programs", [&] { return under_load(o, w, o.steady_rate, o.steady_seconds / 2, true); }),
        add("steady", [&] { return under_load(o, w, o.steady_rate, o.steady_seconds, false); }),
        add("peak", [&] { return under_load(o, w, o.peak_rate, o.peak_seconds, false); }),
        add("udp", [&] { return under_datagrams(o, w); }), add("web", [&] { return side_by_side(o, w); })})
    if (!done) return done;
  if (!o.json_file.empty()) std::ofstream(o.json_file) << all.dump(2) << "\n";
  fmt::print("{}\n", all.dump(2));
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return {};
}

}  // namespace
}  // namespace tenure::bench

int main(int argc, char** argv) {
  tenure::bench::options o;
  CLI::App app{"What the agent costs, measured on this machine's kernel (root)"};
  app.add_option("--tenure", o.tenure, "the program to measure")->required();
  app.add_option("--json", o.json_file, "write the figures to this file, too");
  app.add_option("--only", o.only, "programs, steady, peak, udp, web; all when none is given")
      ->check(CLI::IsMember({"programs", "steady", "peak", "udp", "web"}));
  app.add_option("--seconds", o.steady_seconds, "of the steady load");
  app.add_option("--peak-seconds", o.peak_seconds, "of the highest load");
  app.add_option("--rate", o.steady_rate, "connections a second of the steady load");
  app.add_option("--peak-rate", o.peak_rate, "connections a second of the highest load");
  app.add_option("--datagram-rate", o.datagram_rate, "datagrams a second that the client sends");
  app.add_option("--rounds", o.rounds,
                 "of nginx and wrk, each with nothing, with empty programs and with the agent");
  app.add_option("--round-seconds", o.round_seconds, "of each of the three");
  CLI11_PARSE(app, argc, argv);
  if (const auto done = tenure::bench::run(o); !done) {
    fmt::print(stderr, "agent_cost: {}\n", done.error().text);
    return 3;
  }
  return 0;
}
