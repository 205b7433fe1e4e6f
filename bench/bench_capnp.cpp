#include <benchmark/benchmark.h>

#include "capnp/codec.hpp"
#include "ownership/invariant.hpp"

namespace tenure::wire {
namespace {

constexpr std::uint64_t incarnation = 7;

/// As an agent of a host with ten workloads makes them.
batch typical_batch(std::uint32_t flows) {
  batch b;
  b.number = 1;
  for (std::uint32_t i = 0; i < 10; ++i) {
    tenancy_id id{incarnation, i + 1};
    b.workloads.push_back({"workload-" + std::to_string(i), {}});
    b.tenancies.push_back({id, {address::v4(0x0a000000 + i), 0}, workload_id{i + 1}});
    b.evidence.push_back({b.tenancies[i].endpoint, id, workload_id{i + 1}, 0, second, 0, 0});
  }
  for (std::uint32_t i = 0; i < flows; ++i) {
    flow f;
    f.connection = i;
    f.near_address = address::v4(0x0a000000 + i % 10);
    f.far_address = address::v4(0x0a010000 + i);
    f.near_tenancy = {incarnation, 1 + i % 10};
    f.times = {second, second + 1, 2 * second, 3 * second, millisecond, millisecond, true};
    b.flows.push_back(f);
  }
  return b;
}

void per_flow(benchmark::State& state) {
  state.counters["per_flow"] = benchmark::Counter(static_cast<double>(state.iterations() * state.range(0)),
                                                  benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void encode_batch(benchmark::State& state) {
  message m = typical_batch(static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(encode(m));
  per_flow(state);
}
BENCHMARK(encode_batch)->Arg(50)->Arg(1'000);

void encode_packed_batch(benchmark::State& state) {
  const auto b = typical_batch(static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(encode_packed(b));
  per_flow(state);
  state.counters["bytes_per_flow"] =
      static_cast<double>(encode_packed(b).size() * 8) / static_cast<double>(state.range(0));
}
BENCHMARK(encode_packed_batch)->Arg(50)->Arg(1'000);

void decode_batch(benchmark::State& state) {
  auto f = encode(typical_batch(static_cast<std::uint32_t>(state.range(0))));
  for (auto _ : state) {
    auto got = decode(f, incarnation);
    invariant(got.has_value(), "what was encoded can be decoded");
    benchmark::DoNotOptimize(got);
  }
  per_flow(state);
  state.counters["bytes_per_flow"] = static_cast<double>(f.size() * 8) / static_cast<double>(state.range(0));
}
BENCHMARK(decode_batch)->Arg(50)->Arg(1'000);

}  // namespace
}  // namespace tenure::wire
