#include "agent/listeners.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>

#include "agent/file_descriptor.hpp"

namespace tenure::agent {
namespace {

constexpr std::size_t datagram_bytes = 32768;

std::size_t aligned(std::size_t n) {
  return (n + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
}

template <class T>
std::optional<T> take_header(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header;
}

template <class T>
T value_of(std::span<const std::byte> bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), std::min(sizeof value, bytes.size()));
  return value;
}

std::optional<listener> read_one(std::span<const std::byte> body) {
  const auto m = take_header<inet_diag_msg>(body);
  if (!m || m->idiag_state != TCP_LISTEN) return std::nullopt;
  listener l;
  l.port = ntohs(m->id.idiag_sport);
  l.cookie = m->id.idiag_cookie[0] | static_cast<std::uint64_t>(m->id.idiag_cookie[1]) << 32U;
  bool only_v6 = false;
  body = body.subspan(std::min(aligned(sizeof(inet_diag_msg)), body.size()));
  while (const auto a = take_header<rtattr>(body)) {
    if (a->rta_len < sizeof(rtattr) || a->rta_len > body.size()) break;
    const auto value = body.subspan(sizeof(rtattr), a->rta_len - sizeof(rtattr));
    if (a->rta_type == INET_DIAG_CGROUP_ID) l.cgroup = value_of<std::uint64_t>(value);
    if (a->rta_type == INET_DIAG_SKV6ONLY) only_v6 = value_of<std::uint8_t>(value) != 0;
    body = body.subspan(std::min(aligned(a->rta_len), body.size()));
  }
  if (m->idiag_family == AF_INET) {
    l.address = address::v4(ntohl(m->id.idiag_src[0]));
    l.any_v4 = m->id.idiag_src[0] == 0;
  } else if (m->idiag_family == AF_INET6) {
    address::bytes_type bytes;
    static_assert(sizeof(m->id.idiag_src) == std::tuple_size_v<address::bytes_type>);
    std::memcpy(bytes.data(), m->id.idiag_src, bytes.size());
    l.address = address::from_bytes(bytes);
    l.any_v6 = l.address == address{};
    l.any_v4 = l.any_v6 && !only_v6;
  } else {
    return std::nullopt;
  }
  return l;
}

tl::unexpected<failure> cannot(const char* what) {
  return fail(trouble::refused, std::string("cannot ask the kernel who listens: ") + what +
                                    std::generic_category().message(errno));
}

outcome<void> dump(int family, std::vector<listener>& into) {
  const file_descriptor s{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  const timeval limit{1, 0};
  if (!s) return cannot("");
  ::setsockopt(s.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  struct {
    nlmsghdr header;
    inet_diag_req_v2 body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.body.sdiag_family = static_cast<__u8>(family);
  request.body.sdiag_protocol = IPPROTO_TCP;
  request.body.idiag_states = 1U << TCP_LISTEN;
  if (::send(s.get(), &request, sizeof request, 0) < 0) return cannot("");
  std::array<std::byte, datagram_bytes> buffer;
  for (bool done = false; !done;) {
    const auto got = ::recv(s.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return cannot("no answer, ");
    const auto datagram = std::span(buffer).first(static_cast<std::size_t>(got));
    const auto first = take_header<nlmsghdr>(datagram);
    if (first && first->nlmsg_type == NLMSG_ERROR) {
      errno = ENOSYS;
      return cannot("refused, ");
    }
    done = read_listeners(datagram, into);
  }
  return {};
}

}  // namespace

bool read_listeners(std::span<const std::byte> datagram, std::vector<listener>& into) {
  while (const auto header = take_header<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) return false;
    if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) return true;
    if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY)
      if (const auto l = read_one(datagram.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr))))
        into.push_back(*l);
    datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
  }
  return false;
}

outcome<std::vector<listener>> dump_listeners() {
  std::vector<listener> all;
  for (const int family : {AF_INET, AF_INET6})
    if (auto done = dump(family, all); !done) return tl::unexpected(done.error());
  return all;
}

}  // namespace tenure::agent
