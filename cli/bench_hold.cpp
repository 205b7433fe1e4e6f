#include "cli/bench_hold.hpp"

#include <ctime>
#include <fstream>
#include <memory>
#include <ostream>
#include <sys/resource.h>
#include <vector>

#include <nlohmann/json.hpp>

#include "actors/hold_queue.hpp"
#include "actors/shard_key.hpp"
#include "load/plan.hpp"

namespace tenure::cli {

namespace {

struct hold_options {
  std::uint64_t flows = 10'000'000;
  std::uint32_t batch = 50;
  std::uint32_t shards = 2;
  bool ipv6 = false;
  std::uint64_t seed = 1;
  std::optional<std::filesystem::path> json;
};

// So many different batches are played again and again: making them costs more than holding them.
constexpr std::uint64_t batches_made = 2'000;
constexpr nanos begin = 100'000 * second;
// What clock brackets add to a stamp's error.
constexpr nanos clock_error = 60 * microsecond;

double cpu_microseconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_nsec) / 1e3;
}

/// What this process took of the machine's memory at most.
double most_resident_mib() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1024;
}

std::vector<std::vector<flow>> make_batches(const hold_options& o) {
  load::fleet_options fleet;
  fleet.ipv6 = o.ipv6;
  fleet.seed = o.seed;
  const load::plan plan(fleet);
  std::vector<std::vector<flow>> out(batches_made);
  for (std::uint64_t b = 0; b < batches_made; ++b) {
    const auto agent = static_cast<std::uint32_t>(b % fleet.agents);
    const auto batch = plan.batch(agent, b + 1, begin);
    for (std::uint32_t i = 0; i < o.batch; ++i) {
      const auto planned = plan.flow(batch, i);
      flow f = planned.flow;
      if (planned.near) {
        f.near_tenancy = planned.near->tenancy;
        f.near_workload = workload_id{planned.near->workload + 1};
      }
      f.times.error += clock_error;
      out[b].push_back(f);
    }
  }
  return out;
}

std::vector<actors::flow_lot> pack(const std::vector<flow>& flows, std::uint32_t shards) {
  std::vector<actors::flow_lot> lots(shards);
  const auto& first = flows.front();
  for (auto& lot : lots)
    lot.rows = hold::packed_rows(
        {first.id.incarnation, first.id.batch, first.times.closed, first.near_address.high()});
  for (const auto& f : flows) lots[actors::shard_of(f.far_address, shards)].rows.add(f);
  return lots;
}

outcome<void> run(const hold_options& o, console& io) {
  if (o.batch == 0 || o.batch > 4'096 || o.shards == 0 || o.flows < o.batch)
    return fail(trouble::usage, "expected batches of 1 to 4096 flows, some shards, and as many flows");
  const auto batches = make_batches(o);
  const auto memory = hold::block_pool::make();
  std::vector<actors::hold_queue> queues;
  for (std::uint32_t i = 0; i < o.shards; ++i)
    queues.emplace_back(actors::hold_settings{.hold = 60 * second}, memory);

  double packing = 0;
  double holding = 0;
  std::uint64_t held = 0;
  for (std::uint64_t b = 0; held < o.flows; ++b, held += o.batch) {
    const double start = cpu_microseconds();
    const auto lots = pack(batches[b % batches_made], o.shards);
    const double packed = cpu_microseconds();
    const nanos now = static_cast<nanos>(b) * 30 * microsecond;
    for (std::uint32_t i = 0; i < o.shards; ++i) queues[i].push(lots[i], now);
    packing += packed - start;
    holding += cpu_microseconds() - packed;
  }
  std::size_t bytes = 0;
  for (const auto& q : queues) bytes += q.bytes();
  const std::size_t blocks = memory->bytes();

  const double start = cpu_microseconds();
  std::uint64_t read = 0;
  for (auto& q : queues)
    for (const auto& lot : q.due(time_max)) {
      const std::byte* at = lot->rows;
      question asked;
      for (const auto& part : lot->parts) {
        hold::row_cursor rows(part.base, at);
        at += part.bytes;
        for (std::uint32_t n = 0; n < part.flows; ++n) rows.next(asked);
        read += part.flows;
      }
    }
  const double asking = cpu_microseconds() - start;
  const auto flows = static_cast<double>(held);
  const nlohmann::ordered_json result = {
      {"bench", "hold"},
      {"flows", held},
      {"lost", held - read},
      {"ipv6", o.ipv6},
      {"cpu_us_per_flow", (packing + holding + asking) / flows},
      {"flows_per_second", 1e6 * flows / (packing + holding + asking)},
      {"bytes_per_held_flow", static_cast<double>(bytes) / flows},
      {"block_bytes", blocks},
      {"most_resident_mib", most_resident_mib()},
      {"stages", {{"pack", packing / flows}, {"hold", holding / flows}, {"ask", asking / flows}}}};
  io.out << result.dump(2) << '\n';
  if (o.json) {
    std::ofstream file(*o.json);
    file << result.dump(2) << '\n';
    if (!file.flush()) return fail(trouble::refused, o.json->string() + ": cannot be written");
  }
  return {};
}

}  // namespace

void add_bench_hold(command_line& line) {
  auto o = std::make_shared<hold_options>();
  auto& c = line.add("bench hold", "memory and CPU time of a held flow, one thread");
  c.option("flows", o->flows, "flows held at one time");
  c.option("batch", o->batch, "flows a batch");
  c.option("shards", o->shards, "that each batch is divided over");
  c.flag("ipv6", o->ipv6, "addresses of IPv6 instead of IPv4");
  c.option("seed", o->seed, "of the flows");
  c.option("json", o->json, "write the figures there too");
  c.run([o](console& io) { return run(*o, io); });
}

}  // namespace tenure::cli
