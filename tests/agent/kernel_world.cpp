#include "tests/agent/kernel_world.hpp"

#include <arpa/inet.h>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <tuple>

#include <gtest/gtest.h>

#include "agent/host_addresses.hpp"
#include "agent/netns.hpp"

namespace tenure::testing {

namespace {

sockaddr_in6 socket_address(const endpoint& e) {
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  a.sin6_port = htons(e.port);
  const auto bytes = e.address.bytes();
  std::memcpy(&a.sin6_addr, bytes.data(), bytes.size());
  return a;
}

/// IPv4 through its own family, so that both families' paths in the kernel programs are walked.
socklen_t fill(const endpoint& e, sockaddr_storage& out) {
  if (!e.address.is_v4()) {
    const auto a = socket_address(e);
    std::memcpy(&out, &a, sizeof a);
    return sizeof a;
  }
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(e.port);
  a.sin_addr.s_addr = htonl(e.address.v4_bits());
  std::memcpy(&out, &a, sizeof a);
  return sizeof a;
}

const sockaddr* as_generic(const sockaddr_storage& a) {
  return reinterpret_cast<const sockaddr*>(&a);
}

agent::file_descriptor make_socket(const endpoint& e) {
  agent::file_descriptor s{::socket(e.address.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval limit{10, 0};
  ::setsockopt(s.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(s.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const int on = 1;
  ::setsockopt(s.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return s;
}

}  // namespace

kernel_world::kernel_world() : prefix_("tn" + std::to_string(::getpid() % 100000)) {
  for (const auto* ns : {"west", "east", "north"}) {
    ip(std::string("netns add @") + ns);
    ip(std::string("-n @") + ns + " link set lo up");
  }
  ip("-n @west link add @e type veth peer name @w netns @east");
  ip("-n @west link add @n type veth peer name @w netns @north");
  ip("-n @west addr add 10.77.0.1/24 dev @e");
  ip("-n @west addr add fd77::1/64 dev @e nodad");
  ip("-n @east addr add 10.77.0.2/24 dev @w");
  ip("-n @east addr add fd77::2/64 dev @w nodad");
  ip("-n @west addr add 10.78.0.1/24 dev @n");
  ip("-n @north addr add 10.78.0.2/24 dev @w");
  for (const auto* link :
       {"@west link set @e", "@west link set @n", "@east link set @w", "@north link set @w"})
    ip(std::string("-n ") + link + " up");
  ip("-n @north route add default via 10.78.0.1");
}

kernel_world::~kernel_world() {
  for (const auto* ns : {"west", "east", "north"})
    std::ignore = std::system(("ip netns del " + prefix_ + ns + " 2>/dev/null").c_str());
}

std::string kernel_world::path(const std::string& ns) const {
  return "/run/netns/" + prefix_ + ns;
}

std::uint64_t kernel_world::cookie(const std::string& ns) const {
  std::uint64_t result = 0;
  inside(ns, [&] { result = agent::current_netns_cookie(); });
  return result;
}

void kernel_world::ip(const std::string& arguments) const {
  std::string command = "ip ";
  for (const char c : arguments) c == '@' ? command += prefix_ : command += c;
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

void kernel_world::inside(const std::string& ns, const std::function<void()>& what) const {
  if (const auto done = agent::run_in_netns(path(ns), what); !done)
    throw std::runtime_error(done.error().text);
}

void flow_collector::add(const std::vector<agent::observed_flow>& flows) {
  const std::scoped_lock lock(mutex_);
  flows_.insert(flows_.end(), flows.begin(), flows.end());
  changed_.notify_all();
}

std::vector<agent::observed_flow> flow_collector::wait_for(std::uint64_t cookie, std::size_t count) {
  std::unique_lock lock(mutex_);
  std::vector<agent::observed_flow> result;
  changed_.wait_for(lock, std::chrono::seconds{5}, [&] {
    result.clear();
    for (const auto& f : flows_)
      if (f.netns_cookie == cookie) result.push_back(f);
    return result.size() >= count;
  });
  return result;
}

nanos boot_now() {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return t.tv_sec * second + t.tv_nsec;
}

agent::file_descriptor listen_on(const endpoint& at) {
  auto s = make_socket(at);
  sockaddr_storage a{};
  const auto length = fill(at, a);
  if (::bind(s.get(), as_generic(a), length) != 0 || ::listen(s.get(), 16) != 0)
    throw std::runtime_error("cannot listen on " + at.to_string() + ": " + std::strerror(errno));
  return s;
}

agent::file_descriptor accept_from(const agent::file_descriptor& listener) {
  return agent::file_descriptor{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
}

int connect_to(const endpoint& to, agent::file_descriptor& made, int syn_retries, const endpoint* from) {
  made = make_socket(to);
  if (syn_retries > 0) ::setsockopt(made.get(), IPPROTO_TCP, TCP_SYNCNT, &syn_retries, sizeof syn_retries);
  sockaddr_storage a{};
  if (from != nullptr) {
    const auto length = fill(*from, a);
    if (::bind(made.get(), as_generic(a), length) != 0) return -errno;
  }
  const auto length = fill(to, a);
  return ::connect(made.get(), as_generic(a), length) == 0 ? 0 : -errno;
}

int send_bytes(const agent::file_descriptor& s, std::size_t size) {
  const std::string bytes(size, 'x');
  std::size_t sent = 0;
  while (sent < size) {
    const auto n = ::send(s.get(), bytes.data() + sent, size - sent, MSG_NOSIGNAL);
    if (n <= 0) return -errno;
    sent += static_cast<std::size_t>(n);
  }
  return 0;
}

long receive_bytes(const agent::file_descriptor& s, std::size_t size) {
  std::string bytes(size, ' ');
  std::size_t got = 0;
  while (got < size) {
    const auto n = ::recv(s.get(), bytes.data(), size - got, 0);
    if (n < 0) return -errno;
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return static_cast<long>(got);
}

}  // namespace tenure::testing
