#include "cli/bench_load.hpp"

#include <csignal>
#include <ctime>
#include <fstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "cli/judged_output.hpp"
#include "cli/real_clocks.hpp"
#include "cli/watched_run.hpp"
#include "load/fleet.hpp"

namespace tenure::cli {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

struct load_options {
  load::fleet_options fleet;
  load::pace_options pace;
  std::uint32_t covered_percent = 90;
  std::uint64_t rate = 100'000;
  std::uint32_t batch = 50;
  nanoseconds lifetime = std::chrono::minutes{10};
  nanoseconds heartbeat = seconds{10};
  nanoseconds length = seconds{10};
  nanoseconds wait = std::chrono::minutes{3};
  std::optional<std::filesystem::path> check;
  std::optional<std::filesystem::path> json;
};

constexpr auto between_steps = std::chrono::milliseconds{2};

nlohmann::ordered_json figures(const load::fleet_counters& c, double flowing_seconds,
                               double settled_seconds) {
  return {{"bench", "load"},
          {"flows", c.flows_sealed.load()},
          {"flows_acknowledged", c.flows_acknowledged.load()},
          {"flows_unacknowledged", c.flows_sealed - c.flows_acknowledged},
          {"flows_repeated", c.flows_repeated.load()},
          {"flows_per_second", static_cast<double>(c.flows_sent) / flowing_seconds},
          {"batches", c.batches_sealed.load()},
          {"batches_repeated", c.batches_repeated.load()},
          {"evidence", c.evidence_sealed.load()},
          {"connects", c.connects.load()},
          {"disconnects", c.disconnects.load()},
          {"goodbyes", c.goodbyes.load()},
          {"messages_refused", c.messages_refused.load()},
          {"acknowledged_ms_p50", load::acknowledged_within_ms(c, 0.50)},
          {"acknowledged_ms_p99", load::acknowledged_within_ms(c, 0.99)},
          {"seconds", flowing_seconds},
          {"seconds_to_settle", settled_seconds},
          {"generator_cpu_seconds", own_cpu_seconds()}};
}

outcome<void> check(const load_options& o, const load::fleet& fleet, nlohmann::ordered_json& result,
                    console& io) {
  const auto found = judge_output(fleet, o.batch, *o.check);
  if (!found) return tl::unexpected(found.error());
  result["check"] = as_json(*found);
  return expect_nothing_wrong(*found, io);
}

volatile std::sig_atomic_t interrupted = 0;

outcome<void> run(load_options o, console& io) {
  if (o.fleet.agents == 0 || o.fleet.agents > 10'000 || o.fleet.addresses < o.fleet.agents ||
      o.fleet.addresses > 1U << 24 || o.batch == 0 || o.batch > 4'096 || o.covered_percent > 100 ||
      o.fleet.workloads == 0 || o.fleet.workloads > 4'096)
    return fail(trouble::usage,
                "expected 1 to 10000 agents, as many to 16777216 addresses, batches of 1 to 4096 flows, 1 to "
                "4096 workloads, and at most 100 percent");
  o.fleet.covered = o.covered_percent / 100.0;
  o.fleet.lifetime = o.lifetime.count();
  o.pace.heartbeat = o.heartbeat.count();
  o.pace.flows_a_second = static_cast<double>(o.rate);
  o.pace.flows_a_batch = o.batch;
  auto clock = std::make_shared<real_clocks>();
  o.fleet.run = static_cast<std::uint64_t>(clock->now());

  transport::asio_options net_options;
  net_options.silence_bound = std::chrono::minutes{2};
  auto net = transport::make_asio_transport(net_options);
  load::fleet fleet(o.fleet, o.pace, clock, *net);
  std::signal(SIGINT, [](int) { interrupted = 1; });
  const nanos begin = clock->now();
  const nanos end = begin + o.length.count();
  while (clock->now() < end && interrupted == 0) {
    fleet.step();
    std::this_thread::sleep_for(between_steps);
  }
  fleet.stop_flows();
  const nanos flowed = clock->now();
  while (!fleet.settled() && clock->now() < flowed + o.wait.count() && interrupted == 0) {
    fleet.step();
    std::this_thread::sleep_for(between_steps);
  }
  const nanos settled = clock->now();
  net->stop();

  auto result = figures(fleet.counters(), static_cast<double>(flowed - begin) / second,
                        static_cast<double>(settled - flowed) / second);
  outcome<void> checked;
  if (o.check) checked = check(o, fleet, result, io);
  io.out << result.dump(2) << '\n';
  if (o.json) {
    std::ofstream file(*o.json);
    file << result.dump(2) << '\n';
    if (!file.flush()) return fail(trouble::refused, o.json->string() + ": cannot be written");
  }
  if (!checked) return checked;
  if (!fleet.settled())
    return fail(trouble::check_failed, "not every batch was acknowledged in time; see flows_unacknowledged");
  return {};
}

}  // namespace

void add_bench_load(command_line& line) {
  auto o = std::make_shared<load_options>();
  auto& c = line.add("bench load", "play a fleet of agents against a node, and count what is acknowledged");
  c.option("node", o->pace.nodes, "a node to connect to; repeatable: agents are spread over them")
      .must_be_given()
      .shown_as("ADDR:PORT");
  c.option("agents", o->fleet.agents, "agents, a connection each");
  c.option("batch", o->batch, "flows a batch");
  c.option("rate", o->rate, "flows a second of all agents; 0: as many as go");
  c.option("addresses", o->fleet.addresses, "addresses that the agents' hosts hold");
  c.option("workloads", o->fleet.workloads, "names that share them");
  c.flag("ipv6", o->fleet.ipv6, "addresses of IPv6 instead of IPv4");
  c.option("covered", o->covered_percent, "percent of the flows whose far end is one of the addresses");
  c.option("lifetime", o->lifetime, "after which an address has another holder, on another host; 0s: never");
  c.option("heartbeat", o->heartbeat, "how often every tenancy is reported");
  c.option("seconds", o->length, "how long flows are sent").shown_as("DURATION");
  c.option("wait", o->wait, "how long the end waits for acknowledgements");
  c.option("seed", o->fleet.seed, "of addresses, holders and flows");
  c.option("check", o->check,
           "then hold the node's output, lines or blocks, against what was reported and the truth")
      .shown_as("FILE");
  c.option("json", o->json, "write the figures there too");
  c.run([o](console& io) { return run(*o, io); });
}

}  // namespace tenure::cli
