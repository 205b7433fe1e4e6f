#include <benchmark/benchmark.h>

#include "cluster/ring.hpp"

namespace tenure::cluster {
namespace {

ring of_nodes(std::int64_t count) {
  std::vector<ring_member> members;
  for (std::int64_t i = 0; i < count; ++i) members.push_back({"node-" + std::to_string(i), 1});
  return *ring::make(std::move(members));
}

/// The holders of random addresses of 10.0.0.0/8.
void look_up(benchmark::State& state) {
  const auto r = of_nodes(state.range(0));
  std::uint32_t x = 1;
  for (auto _ : state) {
    x = x * 1'664'525U + 1'013'904'223U;
    benchmark::DoNotOptimize(r.holders(address::v4(0x0a00'0000U | (x >> 8))).data());
  }
}
BENCHMARK(look_up)->Arg(1)->Arg(16)->Arg(128);

/// A new ring, as after a join.
void make_ring(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(of_nodes(state.range(0)));
}
BENCHMARK(make_ring)->Arg(4)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tenure::cluster
