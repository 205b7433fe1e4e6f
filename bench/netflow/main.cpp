#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "load/plan.hpp"

// Sends the flows of a played fleet as NetFlow v5 to a collector on this host: what bench/node/nfacctd.sh
// compares. Prints how many were sent, and the CPU seconds that took.
namespace tenure::bench {
namespace {

constexpr std::size_t records_a_packet = 30;  // the most there may be
constexpr std::size_t header_bytes = 24;
constexpr std::size_t record_bytes = 48;
constexpr auto turn = std::chrono::milliseconds{2};

void put16(std::uint8_t* at, std::uint32_t n) {
  at[0] = static_cast<std::uint8_t>(n >> 8);
  at[1] = static_cast<std::uint8_t>(n);
}
void put32(std::uint8_t* at, std::uint32_t n) {
  put16(at, n >> 16);
  put16(at + 2, n & 0xffff);
}

/// As Cisco's "NetFlow Export Datagram Format", version 5.
void write_record(std::uint8_t* at, const flow& f) {
  const bool source = f.reporter == reporter::source;
  put32(at, (source ? f.near_address : f.far_address).v4_bits());
  put32(at + 4, (source ? f.far_address : f.near_address).v4_bits());
  put32(at + 16, f.counters.segments_sent);
  put32(at + 20, static_cast<std::uint32_t>(f.counters.bytes_sent));
  put32(at + 24, static_cast<std::uint32_t>(f.times.opened / millisecond));
  put32(at + 28, static_cast<std::uint32_t>(f.times.closed / millisecond));
  put16(at + 32, source ? f.near_port : f.far_port);
  put16(at + 34, source ? f.far_port : f.near_port);
  at[38] = static_cast<std::uint8_t>(f.transport);
}

class sender {
 public:
  explicit sender(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (socket_ < 0 || ::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
      std::perror("netflow_sender");
      std::exit(3);
    }
    packet_.resize(header_bytes + records_a_packet * record_bytes);
  }
  ~sender() { ::close(socket_); }
  sender(const sender&) = delete;
  sender& operator=(const sender&) = delete;

  void send(const std::vector<flow>& flows, nanos now) {
    std::fill(packet_.begin(), packet_.end(), std::uint8_t{0});
    put16(packet_.data(), 5);
    put16(packet_.data() + 2, static_cast<std::uint32_t>(flows.size()));
    put32(packet_.data() + 4, static_cast<std::uint32_t>(now / millisecond));
    put32(packet_.data() + 8, static_cast<std::uint32_t>(std::time(nullptr)));
    put32(packet_.data() + 16, sequence_);
    for (std::size_t i = 0; i < flows.size(); ++i)
      write_record(packet_.data() + header_bytes + i * record_bytes, flows[i]);
    const auto bytes = header_bytes + flows.size() * record_bytes;
    while (::send(socket_, packet_.data(), bytes, 0) < 0 && errno == ENOBUFS)
      std::this_thread::sleep_for(turn);
    sequence_ += static_cast<std::uint32_t>(flows.size());
  }

 private:
  int socket_;
  std::uint32_t sequence_ = 0;
  std::vector<std::uint8_t> packet_;
};

int run(std::uint16_t port, double rate, double length) {
  using clock = std::chrono::steady_clock;
  const load::plan fleet{load::fleet_options{}};
  sender out(port);
  const auto begin = clock::now();
  const auto now = [&] { return static_cast<nanos>((clock::now() - begin).count()) + 600 * second; };
  std::uint64_t sent = 0;
  std::vector<flow> flows(records_a_packet);
  for (std::uint64_t batch = 1;; ++batch) {
    const double passed = std::chrono::duration<double>(clock::now() - begin).count();
    if (passed >= length) break;
    if (static_cast<double>(sent) >= passed * rate) {
      std::this_thread::sleep_for(turn);
      continue;
    }
    const auto agent = static_cast<std::uint32_t>(batch % fleet.options().agents);
    const nanos sealed = now();
    const auto planned = fleet.batch(agent, batch, sealed);
    for (std::uint32_t i = 0; i < records_a_packet; ++i) fleet.draw(planned, i, flows[i]);
    out.send(flows, sealed);
    sent += records_a_packet;
  }
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  std::printf("%llu flows, %.2f CPU-s\n", static_cast<unsigned long long>(sent),
              static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                  static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
  return 0;
}

}  // namespace
}  // namespace tenure::bench

int main(int count, char** words) {
  int port = 0;
  double rate = 100'000;
  double length = 10;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string name = words[i];
    if (name == "--port") port = std::atoi(words[i + 1]);
    if (name == "--rate") rate = std::atof(words[i + 1]);
    if (name == "--seconds") length = std::atof(words[i + 1]);
  }
  if (port <= 0 || port > 65'535 || rate <= 0) {
    std::fprintf(stderr, "netflow_sender --port PORT [--rate FLOWS_A_SECOND] [--seconds SECONDS]\n");
    return 2;
  }
  return tenure::bench::run(static_cast<std::uint16_t>(port), rate, length);
}
