#include <algorithm>
#include <benchmark/benchmark.h>
#include <memory>
#include <vector>

#include "actors/session_protocol.hpp"
#include "capnp/codec.hpp"
#include "load/plan.hpp"

namespace tenure::actors {
namespace {

constexpr nanos begun = 1'000 * second;
constexpr nanos batches_apart = 31 * millisecond;  // of one agent
constexpr nanos pings_apart = 250 * millisecond;
constexpr nanos round_trip = 400 * microsecond;
constexpr nanos regular_pings = 2'500 * millisecond;
constexpr nanos connected_for = 30 * second;  // longer than flows live
constexpr std::uint32_t flows_a_batch = 50;
constexpr std::uint32_t sessions = 200;
constexpr std::uint32_t rounds = 32;  // batches of each

wire::batch flows_of(const load::plan& plan, std::uint32_t agent, std::uint64_t number, nanos sealed) {
  wire::batch b;
  b.number = number;
  const auto planned = plan.batch(agent, number, sealed);
  for (const auto& h : planned.near) {
    b.workloads.push_back({plan.workload_name(h.workload), {}});
    b.tenancies.push_back(
        {h.tenancy, {plan.address_of(h.address), 0}, static_cast<workload_id>(b.workloads.size())});
  }
  for (std::uint32_t i = 0; i < flows_a_batch; ++i) {
    auto f = plan.flow(planned, i).flow;
    for (auto* at : {&f.times.opened, &f.times.established, &f.times.last_received, &f.times.closed})
      *at = plan.reading(agent, *at);
    b.flows.push_back(f);
  }
  return b;
}

wire::batch evidence_of(const load::plan& plan, std::uint32_t agent, std::uint64_t number, nanos sealed) {
  wire::batch b;
  b.number = number;
  std::vector<load::holding> held;
  plan.holdings(agent, sealed, sealed, held);
  for (const auto& h : held) {
    if (b.tenancies.size() == 2'000) break;
    b.workloads.push_back({plan.workload_name(h.workload), {}});
    const endpoint at{plan.address_of(h.address), 0};
    const auto whose = static_cast<workload_id>(b.workloads.size());
    b.tenancies.push_back({h.tenancy, at, whose});
    b.evidence.push_back({.endpoint = at,
                          .tenancy = h.tenancy,
                          .workload = whose,
                          .from = plan.reading(agent, h.from),
                          .until = plan.reading(agent, std::min(h.until, sealed))});
  }
  return b;
}

using encoding = wire::frame (*)(const wire::batch&);

wire::frame plain(const wire::batch& b) {
  return wire::encode(b);
}

/// What `sessions` agents say within a second, batch by batch in turn, as a node's connections bring it.
template <class Make>
std::vector<wire::frame_ptr> frames(const load::plan& plan, std::uint32_t of_each, Make&& make,
                                    encoding encode) {
  std::vector<wire::frame_ptr> out;
  for (std::uint32_t round = 0; round < of_each; ++round)
    for (std::uint32_t agent = 0; agent < sessions; ++agent)
      out.push_back(std::make_shared<const wire::frame>(
          encode(make(plan, agent, round + 1, begun + second + round * batches_apart))));
  return out;
}

struct peer {
  std::unique_ptr<session_protocol> session;
  std::uint64_t ping = 0;

  void heed(const session_reaction& r) {
    for (const auto& m : r.send)
      if (const auto* p = std::get_if<wire::ping>(&m)) ping = p->id;
  }
  /// The ping that it was sent, if there is one.
  void answer(const load::plan& plan, std::uint32_t agent, nanos at) {
    if (ping == 0) return;
    const auto f = std::make_shared<const wire::frame>(
        wire::encode(wire::pong{std::exchange(ping, 0), plan.reading(agent, at)}));
    session_reaction r;
    const auto done = session->receive(f, at + round_trip / 2, at + round_trip / 2, r);
    benchmark::DoNotOptimize(done);
    heed(r);
  }
};

/// Receives all batches and places them in time; pongs come in between as they would.
template <class Make>
void measure(benchmark::State& state, std::uint32_t of_each, Make&& make, encoding encode, const char* unit,
             double units) {
  const load::plan plan({.agents = sessions, .addresses = 400'000});
  const auto all = frames(plan, of_each, make, encode);
  auto settings = std::make_shared<session_settings>();
  settings->shards = 2;
  settings->budget = std::make_shared<shared_budget>(std::size_t{8} << 30);
  for (auto _ : state) {
    state.PauseTiming();
    const auto workloads = std::make_shared<workload_table>();
    const auto counters = std::make_shared<node_counters>();
    std::vector<peer> peers(sessions);
    for (std::uint32_t a = 0; a < sessions; ++a) {
      peers[a].session = std::make_unique<session_protocol>(settings, workloads, counters);
      peers[a].heed(peers[a].session->connected(
          {.incarnation = plan.incarnation(a), .agent = "played", .credit = false}, begun - connected_for));
      for (nanos at = begun - connected_for; at < begun + second; at += regular_pings) {
        peers[a].heed(*peers[a].session->tick(at));
        peers[a].answer(plan, a, at + round_trip / 2);
      }
    }
    std::size_t next = 0;
    nanos answered = begun + second;
    state.ResumeTiming();
    for (std::uint32_t round = 0; round < of_each; ++round) {
      const nanos now = begun + second + round * batches_apart + millisecond;
      for (std::uint32_t a = 0; a < sessions; ++a) {
        session_reaction r;
        if (const auto done = peers[a].session->receive(all[next++], now, now, r); !done)
          return state.SkipWithError(done.error().text.c_str());
        peers[a].heed(r);
        peers[a].answer(plan, a, now + round_trip / 2);
      }
      if (now - answered < pings_apart && round + 1 < of_each) continue;
      answered = now;
      for (std::uint32_t a = 0; a < sessions; ++a) {
        if (peers[a].ping == 0) peers[a].heed(peers[a].session->ask(now));
        peers[a].answer(plan, a, now + round_trip / 2);
      }
    }
    state.PauseTiming();
    const bool refused = counters->evidence_refused + counters->batches_refused > 0;
    peers.clear();
    state.ResumeTiming();
    if (refused) return state.SkipWithError("refused");
  }
  state.counters[unit] =
      benchmark::Counter(static_cast<double>(state.iterations()) * sessions * of_each * units,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// A session's work for a flow: frames read, stamps placed in the node's time, rows packed.
void session_flows(benchmark::State& state) {
  measure(state, rounds, flows_of, wire::encode_packed, "per_flow", flows_a_batch);
}
BENCHMARK(session_flows)->Unit(benchmark::kMillisecond);

/// The same of batches that agents did not pack.
void session_plain_flows(benchmark::State& state) {
  measure(state, rounds, flows_of, plain, "per_flow", flows_a_batch);
}
BENCHMARK(session_plain_flows)->Unit(benchmark::kMillisecond);

/// The same for a heartbeat's evidence.
void session_evidence(benchmark::State& state) {
  measure(state, 4, evidence_of, plain, "per_piece", 2'000);
}
BENCHMARK(session_evidence)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tenure::actors
