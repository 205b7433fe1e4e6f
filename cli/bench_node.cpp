#include "cli/bench_node.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/judged_output.hpp"
#include "cli/measured_node.hpp"
#include "cli/real_clocks.hpp"
#include "cli/tls_options.hpp"
#include "cli/watched_run.hpp"
#include "load/fleet.hpp"

namespace tenure::cli {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using json = nlohmann::ordered_json;

struct node_bench_options {
  load::fleet_options fleet;
  bool plain = false;
  load::pace_options pace;
  std::vector<std::uint32_t> batches;
  std::uint64_t rate = 400'000;
  nanoseconds length = seconds{30};
  nanoseconds hold = seconds{5};
  std::string release = "full";
  std::string output = "blocks";
  std::filesystem::path folder = ".";
  std::string certificate;
  std::string key;
  std::string authority;
  bool check = false;
  std::optional<std::filesystem::path> json_file;
};

constexpr auto between_steps = std::chrono::milliseconds{4};
// Beyond the hold: for the last flows to be written and acknowledged.
constexpr nanos settle_bound = 60 * second;

std::vector<std::string> options_of_node(const node_bench_options& o, const std::filesystem::path& output) {
  std::vector<std::string> words{"--output",  output.string(), "--hold", duration_text(o.hold),
                                 "--release", o.release};
  // What is held is touched beforehand, as it should be where the load is known.
  const auto held = static_cast<double>(o.rate) * std::chrono::duration<double>(o.hold).count() * 80;
  words.insert(words.end(), {"--hold-ready", fmt::format("{}MiB", static_cast<std::uint64_t>(held) >> 20)});
  // And what waits to be placed, to be durable, and as credit: beyond a quarter of memory agents would wait.
  const auto quarter = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE) / 4;
  if (const double needed = 1.5 * held; needed > quarter)
    words.insert(words.end(),
                 {"--held-memory", fmt::format("{}MiB", static_cast<std::uint64_t>(needed) >> 20)});
  if (!o.certificate.empty())
    words.insert(words.end(), {"--tls-certificate", o.certificate, "--tls-key", o.key, "--tls-authority",
                               o.authority, "--agent-id", "spiffe://*/tenure/*"});
  return words;
}

/// What the node's own figures say of its stages, in microseconds a flow; what is left is the actors' and the
/// system's between them.
json stages(const std::map<std::string, double>& metrics, const measured_node::usage& used, double flows) {
  json out{{"receive", 1e6 * used.transport_seconds / flows}};
  double known = used.transport_seconds;
  const std::string name = "tenure_node_stage_cpu_seconds_total{stage=\"";
  for (auto at = metrics.lower_bound(name); at != metrics.end() && at->first.starts_with(name); ++at) {
    out[at->first.substr(name.size(), at->first.size() - name.size() - 2)] = 1e6 * at->second / flows;
    known += at->second;
  }
  out["rest"] = 1e6 * (used.total() - known) / flows;
  return out;
}

/// Within how many milliseconds this share (0 to 1) is of what the node's histogram counts; between its
/// limits, as if all were spread evenly.
double within_ms(const std::map<std::string, double>& metrics, const std::string& histogram, double share) {
  const std::string name = histogram + "_bucket{le=\"";
  std::map<double, double> shorter;  // how many, by limit
  for (auto at = metrics.lower_bound(name); at != metrics.end() && at->first.starts_with(name); ++at)
    shorter[std::strtod(at->first.c_str() + name.size(), nullptr)] = at->second;
  const double wanted = shorter.empty() ? 0 : share * shorter.rbegin()->second;
  double below = 0;
  double count_below = 0;
  for (const auto& [limit, count] : shorter) {
    if (count >= wanted && count > count_below && std::isfinite(limit))
      return 1e3 * (below + (limit - below) * (wanted - count_below) / (count - count_below));
    below = std::isfinite(limit) ? limit : below;
    count_below = count;
  }
  return 1e3 * below;
}

measured_node::usage since(const measured_node::usage& begin, const measured_node::usage& end) {
  return {end.user_seconds - begin.user_seconds, end.system_seconds - begin.system_seconds,
          end.transport_seconds - begin.transport_seconds};
}

json figures(const node_bench_options& o, const load::fleet_counters& c, const measured_node::usage& used,
             double flowing_seconds, double generator_seconds) {
  const auto flows = static_cast<double>(c.flows_acknowledged);
  const double hold_ms = std::chrono::duration<double, std::milli>(o.hold).count();
  return {{"bench", "node"},
          {"flows", c.flows_acknowledged.load()},
          {"cpu_us_per_flow", 1e6 * used.total() / flows},
          {"user_us_per_flow", 1e6 * used.user_seconds / flows},
          {"system_us_per_flow", 1e6 * used.system_seconds / flows},
          {"flows_per_second", static_cast<double>(c.flows_sent) / flowing_seconds},
          {"generator_cpu_seconds", generator_seconds},
          {"generator_cpu_us_per_flow", 1e6 * generator_seconds / flows},
          {"lost", c.flows_sealed - c.flows_acknowledged},
          {"flows_repeated", c.flows_repeated.load()},
          {"evidence", c.evidence_sealed.load()},
          {"batch", o.pace.flows_a_batch},
          {"together", o.pace.together},
          {"agents", o.fleet.agents},
          {"addresses", o.fleet.addresses},
          {"hold_seconds", hold_ms / 1e3},
          {"release", o.release},
          {"output", o.output},
          {"packed", !o.plain},
          {"tls", !o.certificate.empty()},
          {"acknowledged_ms_p50", load::acknowledged_within_ms(c, 0.50)},
          {"acknowledged_ms_p99", load::acknowledged_within_ms(c, 0.99)},
          {"late_ms_p50", load::acknowledged_within_ms(c, 0.50) - hold_ms},
          {"late_ms_p99", load::acknowledged_within_ms(c, 0.99) - hold_ms}};
}

outcome<transport::asio_options> options_of_fleet(const node_bench_options& o) {
  transport::asio_options net;
  if (!o.certificate.empty()) {
    tls_options t;
    t.certificate = o.certificate;
    t.key = o.key;
    t.authority = o.authority;
    t.nodes = {*transport::spiffe_pattern::parse("spiffe://*/tenure/*")};
    auto credentials = load_credentials(t);
    if (!credentials) return tl::unexpected(credentials.error());
    net = secured(std::move(*credentials), t.nodes, "bench");
  }
  net.silence_bound = std::chrono::minutes{3};
  return net;
}

struct run_result {
  json figures;
  outcome<void> checked;  ///< whether the file holds what it should
};

/// Adds what was found to the figures. @returns whether the file holds what it should
outcome<void> check_output(const load::fleet& fleet, const node_bench_options& o,
                           const std::filesystem::path& output, json& figures, console& io) {
  const auto found = judge_output(fleet, o.pace.flows_a_batch, output);
  if (!found) return tl::unexpected(found.error());
  figures["check"] = as_json(*found);
  return expect_nothing_wrong(*found, io);
}

/// One run: a new node, a new fleet, a new file, which is removed again where nothing is wrong with it.
outcome<run_result> run_once(node_bench_options o, console& io) {
  const auto output = o.folder / (o.output == "blocks" ? "bench-node.tnr" : "bench-node.ndjson");
  const auto log = o.folder / "bench-node.log";
  std::error_code ignored;
  std::filesystem::remove(output, ignored);
  auto started = measured_node::start(options_of_node(o, output), log);
  if (!started) return tl::unexpected(started.error());
  auto& node = **started;
  o.pace.nodes = {node.address()};
  o.fleet.packed = !o.plain;
  auto clock = std::make_shared<real_clocks>();
  o.fleet.run = static_cast<std::uint64_t>(clock->now());
  const auto net_options = options_of_fleet(o);
  if (!net_options) return tl::unexpected(net_options.error());
  auto net = transport::make_asio_transport(*net_options);

  const auto used_before = node.used();
  const double own_before = own_cpu_seconds();
  load::fleet fleet(o.fleet, o.pace, clock, *net);
  const nanos begin = clock->now();
  const nanos end = begin + o.length.count();
  memory_watch memory(begin + o.hold.count());
  steady_part steady(begin + o.hold.count(), end);
  for (nanos now = begin; now < end; now = clock->now()) {
    fleet.step();
    memory.look(node, now);
    steady.look(node, fleet.counters(), now);
    std::this_thread::sleep_for(between_steps);
  }
  fleet.stop_flows();
  const nanos flowed = clock->now();
  steady.end(node, fleet.counters(), flowed);
  const auto when_full = node.metrics();
  while (!fleet.settled() && clock->now() < flowed + o.hold.count() + settle_bound) {
    fleet.step();
    std::this_thread::sleep_for(between_steps);
  }
  const auto used = since(used_before, node.used());
  const auto metrics = node.metrics();
  const double own = own_cpu_seconds() - own_before;
  net->stop();

  json result = figures(o, fleet.counters(), used, static_cast<double>(flowed - begin) / second, own);
  for (const int percent : {10, 50, 90, 99})
    result[fmt::format("close_to_output_ms_p{}", percent)] =
        within_ms(metrics, "tenure_node_close_to_output_seconds", percent / 100.0);
  for (const int percent : {50, 99, 100})
    result[fmt::format("sync_ms_p{}", percent)] =
        within_ms(metrics, "tenure_node_sink_sync_seconds", percent / 100.0);
  steady.add_to(result);
  result["memory"] = memory.figures(when_full);
  result["stages"] = stages(metrics, used, result["flows"].get<double>());
  const auto gauge = [&](const char* name) {
    const auto at = when_full.find(name);
    return at == when_full.end() ? 0 : at->second;
  };
  result["flows_in_the_hold"] = gauge("tenure_node_hold_flows");
  result["bytes_per_held_flow"] =
      gauge("tenure_node_hold_bytes") / std::max(1.0, gauge("tenure_node_hold_flows"));
  result["asked_per_flow"] = metrics.at("tenure_node_flows_asked_total") / result["flows"].get<double>();
  result["output_bytes_per_flow"] =
      static_cast<double>(std::filesystem::file_size(output, ignored)) / result["flows"].get<double>();
  result["node_exit_code"] = node.stop(seconds{90});
  auto checked = o.check ? check_output(fleet, o, output, result, io) : outcome<void>{};
  if (checked) std::filesystem::remove(output, ignored);
  return run_result{std::move(result), std::move(checked)};
}

outcome<void> check(const node_bench_options& o) {
  if (o.output != "blocks" && o.output != "ndjson")
    return fail(trouble::usage, "--to: expected blocks or ndjson, not '" + o.output + "'");
  if (o.fleet.agents == 0 || o.fleet.agents > 10'000 || o.fleet.addresses < o.fleet.agents ||
      o.fleet.addresses > 1U << 24 || o.rate == 0)
    return fail(trouble::usage,
                "expected 1 to 10000 agents, as many to 16777216 addresses, and some flows a second");
  for (const auto b : o.batches)
    if (b == 0 || b > 4'096) return fail(trouble::usage, "--batch: expected 1 to 4096 flows");
  if (o.pace.together == 0 || o.pace.together > 64)
    return fail(trouble::usage, "--together: expected 1 to 64 batches");
  if (o.certificate.empty() != o.key.empty() || o.key.empty() != o.authority.empty())
    return fail(trouble::usage, "TLS needs --tls-certificate, --tls-key and --tls-authority");
  return {};
}

outcome<void> run(node_bench_options o, console& io) {
  if (auto fine = check(o); !fine) return fine;
  o.pace.flows_a_second = static_cast<double>(o.rate);
  if (o.batches.empty()) o.batches = {50};
  json all = json::array();
  outcome<void> checked;
  for (const auto batch : o.batches) {
    o.pace.flows_a_batch = batch;
    auto result = run_once(o, io);
    if (!result) return tl::unexpected(result.error());
    auto& figures = result->figures;
    if (!result->checked) checked = std::move(result->checked);
    if (figures["lost"] != 0 || figures["node_exit_code"] != 0)
      checked = fail(trouble::check_failed,
                     "flows were lost, or the node did not end well: see its log in --folder");
    io.out << figures.dump(2) << std::endl;
    all.push_back(std::move(figures));
    if (!checked) break;  // what the node wrote and said stays to be looked at
  }
  if (o.json_file) {
    std::ofstream file(*o.json_file);
    file << (all.size() == 1 ? all[0] : all).dump(2) << '\n';
    if (!file.flush()) return fail(trouble::refused, o.json_file->string() + ": cannot be written");
  }
  return checked;
}

}  // namespace

void add_bench_node(command_line& line) {
  auto o = std::make_shared<node_bench_options>();
  auto& c = line.add("bench node", "what a flow costs a node: a real one, a played fleet, real files");
  c.option("agents", o->fleet.agents, "agents, a connection each");
  c.option("addresses", o->fleet.addresses, "addresses that the agents' hosts hold");
  c.option("batch", o->batches, "flows a batch, 50 when not given; repeatable: a run for each");
  c.option("together", o->pace.together, "batches that an agent sends at once");
  c.option("rate", o->rate, "flows a second of all agents");
  c.option("seconds", o->length, "how long flows are sent").shown_as("DURATION");
  c.option("hold", o->hold, "as the node's --hold");
  c.option("release", o->release, "as the node's --release").shown_as("WHEN");
  c.flag("ipv6", o->fleet.ipv6, "addresses of IPv6 instead of IPv4");
  c.flag("plain", o->plain, "agents do not pack their batches, as those do not that know no better");
  c.option("to", o->output, "blocks or ndjson").shown_as("FORM");
  c.option(
       "folder", o->folder,
       "where the node writes and logs; what it wrote is removed after each run, unless --check finds fault")
      .shown_as("DIR");
  c.option("tls-certificate", o->certificate, "speak TLS, both ends with this certificate (PEM)")
      .shown_as("FILE");
  c.option("tls-key", o->key, "its key (PEM)").shown_as("FILE");
  c.option("tls-authority", o->authority, "who issued it (PEM)").shown_as("FILE");
  c.flag("check", o->check,
         "then hold every record of what it wrote against what was reported and the truth");
  c.option("json", o->json_file, "write the figures there too: one object, or an array of several runs");
  c.run([o](console& io) { return run(*o, io); });
}

}  // namespace tenure::cli
