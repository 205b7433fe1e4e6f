#include "bench/agent/load.hpp"

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
constexpr std::size_t together = 16;  // connections in one go

sockaddr_in server_address(std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  ::inet_pton(AF_INET, "10.79.0.2", &a.sin_addr);
  return a;
}

void bound_waits(int fd) {
  const timeval limit{5, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

unique_fd listen_at(std::uint16_t port) {
  unique_fd s{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int on = 1;
  ::setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto a = server_address(port);
  ::bind(s.get(), reinterpret_cast<const sockaddr*>(&a), sizeof a);
  ::listen(s.get(), 16384);
  return s;
}

void serve(int listener, const std::atomic<bool>& over) {
  std::array<char, message_bytes> bytes{};
  while (!over) {
    pollfd ready{listener, POLLIN, 0};
    if (::poll(&ready, 1, 50) <= 0) continue;
    const unique_fd s{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
    if (!s) continue;
    bound_waits(s.get());
    if (::recv(s.get(), bytes.data(), bytes.size(), MSG_WAITALL) == message_bytes)
      ::send(s.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
}

/// Some connections next to each other, so that client and server change places less often.
void make_connections(std::size_t count, std::uint16_t port, load_result& result) {
  std::array<char, message_bytes> bytes{};
  std::array<unique_fd, together> open;
  const auto to = server_address(port);
  for (std::size_t i = 0; i < count; ++i) {
    open[i].reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    bound_waits(open[i].get());
    if (::connect(open[i].get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
        ::send(open[i].get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
      open[i].reset();
  }
  for (std::size_t i = 0; i < count; ++i) {
    const bool answered = open[i] && ::recv(open[i].get(), bytes.data(), bytes.size(), MSG_WAITALL) ==
                                         static_cast<ssize_t>(message_bytes);
    const bool ended = answered && ::recv(open[i].get(), bytes.data(), bytes.size(), 0) == 0;
    ++(ended ? result.connections : result.failed);
  }
}

}  // namespace

load_result run_load(const arena& where, double rate, double seconds) {
  constexpr std::array<std::uint16_t, 2> ports{9001, 9002};
  std::vector<unique_fd> listeners;
  where.in_server([&] {
    for (const auto port : ports) listeners.push_back(listen_at(port));
  });
  std::atomic<bool> over = false;
  std::vector<std::thread> servers;
  for (const auto& l : listeners) servers.emplace_back([&over, fd = l.get()] { serve(fd, over); });

  load_result result;
  where.in_client([&] {
    const auto begin = clock::now();
    const auto end = begin + std::chrono::duration<double>(seconds);
    std::uint64_t made = 0;
    for (auto now = begin; now < end; now = clock::now()) {
      const double due = rate * std::chrono::duration<double>(now - begin).count();
      if (static_cast<double>(made) >= due) {
        ::poll(nullptr, 0, 1);
        continue;
      }
      const auto count = std::min<std::size_t>(together, static_cast<std::size_t>(due) - made + 1);
      make_connections(count, ports[made / together % ports.size()], result);
      made += count;
    }
    result.seconds = std::chrono::duration<double>(clock::now() - begin).count();
  });
  over = true;
  for (auto& s : servers) s.join();
  return result;
}

}  // namespace tenure::bench
