#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/ipman.hpp"

namespace tenure::agent {
namespace {

// Longer than the agent's own bound, so that its refusal arrives.
constexpr timeval bound{12, 0};
constexpr std::size_t max_reply_bytes = 64U << 20;

class unix_socket {
 public:
  unix_socket() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~unix_socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  unix_socket(const unix_socket&) = delete;
  unix_socket& operator=(const unix_socket&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<failure> trouble_with(const std::string& path, const char* what) {
  return fail(trouble::refused,
              std::string{"the agent at "} + path + " " + what + ": " + std::strerror(errno));
}

}  // namespace

outcome<std::string> ipman_call(const std::string& path, const ipman_request& r) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path)
    return fail(trouble::usage, "the path of the ipman socket is too long: " + path);
  std::memcpy(to.sun_path, path.c_str(), path.size() + 1);
  unix_socket s;
  ::setsockopt(s.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  ::setsockopt(s.get(), SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof bound);
  if (::connect(s.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    return fail(trouble::refused, "no agent listens on " + path + " (" + std::strerror(errno) +
                                      "); start one, or say where with --ipman-socket");
  const std::string line = format_ipman_request(r) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t n = ::send(s.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return trouble_with(path, "does not read");
    sent += static_cast<std::size_t>(n);
  }
  std::string reply;
  char buffer[4096];
  while (reply.find('\n') == std::string::npos) {
    const ssize_t n = ::recv(s.get(), buffer, sizeof buffer, 0);
    if (n == 0) return fail(trouble::refused, "the agent at " + path + " closed the connection");
    if (n < 0) return trouble_with(path, "does not answer");
    reply.append(buffer, static_cast<std::size_t>(n));
    if (reply.size() > max_reply_bytes)
      return fail(trouble::refused, "the agent at " + path + " answers without end");
  }
  reply.resize(reply.find('\n'));
  return reply;
}

}  // namespace tenure::agent
