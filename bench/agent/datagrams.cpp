#include "bench/agent/datagrams.hpp"

#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <chrono>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <vector>

#include "demo/unique_fd.hpp"

namespace tenure::bench {
namespace {

using demo::unique_fd;
using clock = std::chrono::steady_clock;

constexpr std::size_t message_bytes = 100;

sockaddr_in server_address() {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(9003);
  ::inet_pton(AF_INET, "10.79.0.2", &a.sin_addr);
  return a;
}

void echo(int fd, const std::atomic<bool>& over) {
  std::array<char, message_bytes> bytes{};
  while (!over) {
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, 50) <= 0) continue;
    sockaddr_in from{};
    socklen_t size = sizeof from;
    while (true) {
      const auto got =
          ::recvfrom(fd, bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size);
      if (got <= 0) break;
      ::sendto(fd, bytes.data(), static_cast<std::size_t>(got), MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&from), size);
    }
  }
}

std::uint64_t take_answers(const std::vector<unique_fd>& sockets) {
  std::array<char, message_bytes> bytes{};
  std::uint64_t taken = 0;
  for (const auto& s : sockets)
    while (::recv(s.get(), bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) ++taken;
  return taken;
}

}  // namespace

datagrams_result run_datagrams(const arena& where, double rate, double seconds, std::size_t flows) {
  unique_fd server;
  const auto to = server_address();
  where.in_server([&] {
    server.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::bind(server.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
  });
  std::atomic<bool> over = false;
  std::thread echoing([&] { echo(server.get(), over); });

  datagrams_result result;
  where.in_client([&] {
    std::vector<unique_fd> sockets;
    for (std::size_t i = 0; i < flows; ++i) {
      sockets.emplace_back(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
      ::connect(sockets.back().get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
    const std::array<char, message_bytes> bytes{};
    const auto begin = clock::now();
    const auto end = begin + std::chrono::duration<double>(seconds);
    for (auto now = begin; now < end; now = clock::now()) {
      const double due = rate * std::chrono::duration<double>(now - begin).count();
      while (static_cast<double>(result.sent) < due)
        if (::send(sockets[result.sent++ % flows].get(), bytes.data(), bytes.size(), MSG_DONTWAIT) < 0) break;
      ::poll(nullptr, 0, 1);
      result.answered += take_answers(sockets);
    }
    ::poll(nullptr, 0, 200);
    result.answered += take_answers(sockets);
    result.seconds = std::chrono::duration<double>(clock::now() - begin).count();
  });
  over = true;
  echoing.join();
  return result;
}

}  // namespace tenure::bench
