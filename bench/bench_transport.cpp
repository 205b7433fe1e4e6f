#include <benchmark/benchmark.h>

#include "tests/transport/certificates.hpp"
#include "transport/frame_reader.hpp"
#include "transport/tls_session.hpp"

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

/// Two ends of TLS without a socket between them.
class tls_pair {
 public:
  tls_pair() : credentials_(load()) { start(); }

  void start() {
    dials_ = std::make_unique<tls_session>(credentials_->current(), tls_session::side::dials, anybody_);
    accepts_ = std::make_unique<tls_session>(credentials_->current(), tls_session::side::accepts, anybody_);
    dials_->feed({});
    while (!accepts_->established()) {
      hand_over(*dials_, *accepts_);
      hand_over(*accepts_, *dials_);
    }
  }
  void hand_over(tls_session& from, tls_session& to) {
    const auto wire = std::exchange(from.outgoing(), {});
    to.feed(wire);
    while (to.read(room_) > 0) {
    }
  }
  tls_session& dials() { return *dials_; }
  tls_session& accepts() { return *accepts_; }

 private:
  std::shared_ptr<tls_credentials> load() {
    const authority ours;
    return *tls_credentials::load(folder_.put(ours.issue({{"spiffe://bench/node/a"}}), ours.certificate()));
  }

  certificate_folder folder_;
  const std::vector<spiffe_pattern> anybody_;
  std::shared_ptr<tls_credentials> credentials_;
  std::unique_ptr<tls_session> dials_;
  std::unique_ptr<tls_session> accepts_;
  std::vector<std::byte> room_ = std::vector<std::byte>(16U << 10);
};

/// Both ends' work on frames of `range` words: encrypted by one, decrypted by the other.
void encrypt_and_decrypt(benchmark::State& state) {
  tls_pair ends;
  const frame f(static_cast<std::size_t>(state.range(0)), 1);
  const auto wire = std::as_bytes(std::span(f));
  for (auto _ : state) {
    ends.dials().write(wire);
    ends.hand_over(ends.dials(), ends.accepts());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * wire.size()));
}
BENCHMARK(encrypt_and_decrypt)->Arg(6)->Arg(1'100)->Arg(11'000);  // and a large lot between nodes

/// Both ends' work on a new link: ECDSA with P-256, the files looked at.
void handshake(benchmark::State& state) {
  tls_pair ends;
  for (auto _ : state) ends.start();
}
BENCHMARK(handshake)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tenure::transport
