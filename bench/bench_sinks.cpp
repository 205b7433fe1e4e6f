#include <array>
#include <benchmark/benchmark.h>
#include <filesystem>
#include <unistd.h>
#include <vector>

#include "load/plan.hpp"
#include "sinks/piece.hpp"
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

/// What a shard hands over: of each batch of 50 the flows whose far ends are its own, about half.
class rows_of_a_fleet {
 public:
  explicit rows_of_a_fleet(bool ipv6) : plan_({.ipv6 = ipv6}) {
    constexpr std::uint32_t batches = 8'000;
    constexpr nanos apart = 33 * microsecond;
    const std::uint32_t agents = plan_.options().agents;
    for (std::uint32_t a = 0; a < agents; ++a) agents_.push_back("host-" + std::to_string(a) + ".example");
    for (std::uint32_t n = 0; n < batches; ++n)
      add(plan_.batch(n % agents, n / agents + 1, 700 * second + n * apart));
  }

  outcome<void> hand_over(record_sink& to) const {
    const std::byte* at = rows_.data();
    std::span<const verdict> answers = answers_;
    const record_context context{workloads_, "eu-west-1", 1'700'000'000 * second};
    for (const auto& p : parts_) {
      const record_rows rows{p.base, {at, p.bytes}, answers.first(p.flows), agents_[p.agent]};
      if (auto done = to.append_rows(rows, context); !done) return done;
      at += p.bytes;
      answers = answers.subspan(p.flows);
    }
    return {};
  }
  std::size_t flows() const { return answers_.size(); }

 private:
  struct part {
    hold::row_base base;
    std::uint32_t agent = 0;
    std::uint32_t flows = 0;
    std::size_t bytes = 0;
  };

  workload_id name(const std::optional<load::holding>& h) {
    return h ? *workloads_.intern(plan_.workload_name(h->workload)) : workload_id::none;
  }

  void add(const load::planned_batch& batch) {
    constexpr std::uint32_t flows_a_batch = 50;
    hold::packed_rows rows(
        {plan_.incarnation(batch.agent), batch.number, batch.sealed, plan_.address_of(0).high()});
    for (std::uint32_t i = 0; i < flows_a_batch; ++i) {
      auto p = plan_.flow(batch, i);
      if (std::hash<address>{}(p.flow.far_address) % 2 == 0) continue;
      p.flow.near_workload = name(p.near);
      p.flow.times.error = 100 * microsecond + (batch.sealed & 0xffff);
      rows.add(p.flow);
      answers_.push_back(p.far ? verdict{name(p.far), p.far->tenancy, basis::tenancy, reason::none}
                               : unattributed(reason::external));
    }
    const auto bytes = rows.bytes();
    rows_.resize(rows_.size() - hold::row_slack);
    rows_.insert(rows_.end(), bytes.begin(), bytes.end());
    rows_.resize(rows_.size() + hold::row_slack);
    parts_.push_back({rows.base(), batch.agent, rows.count(), bytes.size()});
  }

  load::plan plan_;
  workload_table workloads_;
  std::vector<std::string> agents_;
  std::vector<part> parts_;
  std::vector<std::byte> rows_ = std::vector<std::byte>(hold::row_slack);
  std::vector<verdict> answers_;
};

/// A file for this process alone.
struct scratch_file {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("tenure-bench-" + std::to_string(::getpid()));
  ~scratch_file() { std::filesystem::remove(path); }
};

/// Counts what it takes.
class counting final : public storage {
 public:
  explicit counting(std::size_t& bytes) : bytes_(bytes) {}
  outcome<void> append(std::string_view bytes) override {
    benchmark::DoNotOptimize(bytes.data());
    bytes_ += bytes.size();
    return {};
  }
  outcome<void> sync() override { return {}; }

 private:
  std::size_t& bytes_;
};

/// Lends memory as a file's writer does, by turns, so that what was written a while ago has left the caches.
class rotating final : public storage {
 public:
  outcome<void> append(std::string_view) override { return {}; }
  outcome<void> sync() override { return {}; }
  std::span<char> room(std::size_t at_least) override {
    if (pieces_[now_].room().size() < at_least) {
      now_ = (now_ + 1) % pieces_.size();
      pieces_[now_].begin_at(0);
    }
    return pieces_[now_].room();
  }
  outcome<void> take(std::size_t bytes) override {
    pieces_[now_].add(bytes);
    return {};
  }

 private:
  std::array<piece, 5> pieces_{piece(4U << 20), piece(4U << 20), piece(4U << 20), piece(4U << 20),
                               piece(4U << 20)};
  std::size_t now_ = 0;
};

/// Rows as a node hands them over: of 500 agents by turns. `range` tells IPv4 from IPv6; then, where they
/// end: 0 in memory that stays in the caches, 1 in a file of the folder for temporary files, 2 in as much
/// memory as waits for a disk.
template <class Make>
void rows_into(benchmark::State& state, Make&& make) {
  static const rows_of_a_fleet v4(false);
  static const rows_of_a_fleet v6(true);
  const auto& rows = state.range(0) == 6 ? v6 : v4;
  const bool to_file = state.range(1) == 1;
  const bool to_memory = state.range(1) == 0;
  const scratch_file file;
  std::size_t bytes = 0;
  const auto sink = make(to_file     ? *open_file(file.path)
                         : to_memory ? std::unique_ptr<storage>(std::make_unique<counting>(bytes))
                                     : std::make_unique<rotating>());
  for (auto _ : state) {
    benchmark::DoNotOptimize(rows.hand_over(*sink));
    benchmark::DoNotOptimize(sink->make_durable());
    if (!to_file) continue;
    state.PauseTiming();
    std::filesystem::resize_file(file.path, 0);
    state.ResumeTiming();
  }
  const auto flows = static_cast<double>(state.iterations() * rows.flows());
  state.counters["per_flow"] =
      benchmark::Counter(flows, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  if (to_memory) state.counters["bytes_a_flow"] = static_cast<double>(bytes) / flows;
}

void block_rows(benchmark::State& state) {
  rows_into(state, make_block_sink);
}
BENCHMARK(block_rows)->Args({4, 0})->Args({6, 0})->Args({4, 1})->Args({4, 2})->Unit(benchmark::kMillisecond);

void ndjson_rows(benchmark::State& state) {
  rows_into(state, make_ndjson_sink);
}
BENCHMARK(ndjson_rows)->Args({4, 0})->Args({6, 0})->Args({4, 1})->Args({4, 2})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tenure::sinks
