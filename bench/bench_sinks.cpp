#include <benchmark/benchmark.h>

#include "sinks/sinks.hpp"

namespace tenure::sinks {
namespace {

class nowhere final : public storage {
 public:
  outcome<void> append(std::string_view bytes) override {
    benchmark::DoNotOptimize(bytes.data());
    return {};
  }
  outcome<void> sync() override { return {}; }
};

/// Records as a node writes them: of one agent, in lots; `range` tells IPv4 from IPv6.
void ndjson_lines(benchmark::State& state) {
  workload_table workloads;
  std::vector<flow_record> records(1'000);
  for (std::uint32_t i = 0; i < records.size(); ++i) {
    auto& f = records[i].flow;
    f.id = {0x00c0'ffee'00c0'ffeeULL, 17, i};
    f.connection = 1'000'000 + i;
    bool v6 = state.range(0) == 6;
    f.near_address = v6 ? address::from_halves(0x2001'0db8'0000'0000ULL, i) : address::v4(0x0a000000 + i);
    f.far_address = v6 ? address::from_halves(0x2001'0db8'0000'0001ULL, i) : address::v4(0x0a010000 + i);
    f.near_port = 40'000;
    f.far_port = 443;
    f.near_workload = *workloads.intern("workload-" + std::to_string(i % 10));
    f.near_tenancy = {0x00c0'ffee'00c0'ffeeULL, i % 10 + 1};
    f.times = {second * i, second * i + 1, second * i + 2, second * i + 3, 0, 0, true};
    f.counters = {1'234, 56'789, 12, 34, 0, 350, 120, 410};
    records[i].far = {
        *workloads.intern("workload-" + std::to_string(i % 7)), {9, i}, basis::tenancy, reason::none};
    records[i].agent = "host-1.example";
  }
  auto sink = make_ndjson_sink(std::make_unique<nowhere>());
  record_context context{workloads, "eu-west-1", 1'700'000'000 * second};
  for (auto _ : state) benchmark::DoNotOptimize(sink->append(records, context));
  state.counters["per_line"] = benchmark::Counter(static_cast<double>(state.iterations() * records.size()),
                                                  benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(ndjson_lines)->Arg(4)->Arg(6);

}  // namespace
}  // namespace tenure::sinks
