#include <benchmark/benchmark.h>

#include "transport/frame_reader.hpp"

namespace tenure::transport {
namespace {

/// Frames of `range` words that arrive in reads of 256 KiB.
void read_frames(benchmark::State& state) {
  const frame f(static_cast<std::size_t>(state.range(0)), 1);
  auto prefix = length_prefix(f);
  auto body = std::as_bytes(std::span(f));
  std::vector<std::byte> stream;
  std::size_t frames = 0;
  for (; stream.size() < 256U << 10; ++frames) {
    stream.insert(stream.end(), prefix.begin(), prefix.end());
    stream.insert(stream.end(), body.begin(), body.end());
  }
  frame_reader reader;
  for (auto _ : state) {
    std::span<const std::byte> rest(stream);
    while (auto got = reader.next(rest)) benchmark::DoNotOptimize(got->data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * stream.size()));
  state.counters["per_frame"] = benchmark::Counter(static_cast<double>(state.iterations() * frames),
                                                   benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(read_frames)->Arg(6)->Arg(1'100);  // an acknowledgement; a batch of 50 flows

}  // namespace
}  // namespace tenure::transport
