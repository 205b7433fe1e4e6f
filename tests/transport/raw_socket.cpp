#include "tests/transport/raw_socket.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "tests/transport/recorder.hpp"

namespace tenure::transport {

namespace {

void check(bool fine, const char* what) {
  if (!fine) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

raw_socket::raw_socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  check(fd_ >= 0, "socket");
  timeval bound{patience.count(), 0};
  check(::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound)) == 0, "SO_RCVTIMEO");
  check(::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound)) == 0, "SO_SNDTIMEO");
}

raw_socket::~raw_socket() {
  if (fd_ >= 0) ::close(fd_);
}

void raw_socket::connect(std::uint16_t port, const std::string& host) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = ::inet_addr(host.c_str());
  check(::connect(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof(where)) == 0, "connect");
}

void raw_socket::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    check(sent > 0, "send");
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

void raw_socket::write_length(std::uint32_t length) {
  std::array<std::byte, 4> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(length >> (8 * i));
  write(bytes);
}

std::vector<std::byte> raw_socket::read_to_end() {
  std::vector<std::byte> out;
  std::array<std::byte, 65'536> chunk;
  for (;;) {
    auto got = ::recv(fd_, chunk.data(), chunk.size(), 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return out;
    check(got > 0, "recv");
    out.insert(out.end(), chunk.begin(), chunk.begin() + got);
  }
}

void raw_socket::shut() {
  check(::shutdown(fd_, SHUT_WR) == 0, "shutdown");
}

void raw_socket::reset() {
  linger at_once{1, 0};
  check(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)) == 0, "SO_LINGER");
  ::close(std::exchange(fd_, -1));
}

}  // namespace tenure::transport
