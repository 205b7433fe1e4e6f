#include "agent/netlink.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>

namespace tenure::agent {
namespace {

std::size_t aligned(std::size_t n) {
  return (n + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1};
}

tl::unexpected<failure> cannot(const std::string& what, int error) {
  return fail(trouble::refused,
              "cannot ask the kernel for " + what + ": " + std::generic_category().message(error));
}

}  // namespace

bool read_netlink(std::span<const std::byte> datagram, const netlink_taker& take) {
  while (const auto header = take_header<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) return false;
    if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) return true;
    take(header->nlmsg_type, datagram.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr)));
    datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
  }
  return false;
}

void read_attributes(std::span<const std::byte> body, std::size_t header_bytes,
                     const std::function<void(std::uint16_t, std::span<const std::byte>)>& take) {
  body = body.subspan(std::min(aligned(header_bytes), body.size()));
  while (const auto attribute = take_header<rtattr>(body)) {
    if (attribute->rta_len < sizeof(rtattr) || attribute->rta_len > body.size()) return;
    take(attribute->rta_type, body.subspan(sizeof(rtattr), attribute->rta_len - sizeof(rtattr)));
    body = body.subspan(std::min(aligned(attribute->rta_len), body.size()));
  }
}

outcome<file_descriptor> open_netlink(int protocol, unsigned groups) {
  file_descriptor s{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)};
  sockaddr_nl here{};
  here.nl_family = AF_NETLINK;
  here.nl_groups = groups;
  if (!s || ::bind(s.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
    return cannot("anything by netlink", errno);
  return s;
}

outcome<void> netlink_dump(int protocol, std::span<const std::byte> request, const std::string& what,
                           const netlink_taker& take) {
  auto s = open_netlink(protocol, 0);
  if (!s) return tl::unexpected(s.error());
  const timeval limit{1, 0};
  ::setsockopt(s->get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::send(s->get(), request.data(), request.size(), 0) < 0) return cannot(what, errno);
  std::array<std::byte, netlink_datagram_bytes> buffer;
  for (bool done = false; !done;) {
    const auto got = ::recv(s->get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return cannot(what, got == 0 ? ENODATA : errno);
    const auto datagram = std::span(buffer).first(static_cast<std::size_t>(got));
    const auto first = take_header<nlmsghdr>(datagram);
    if (first && first->nlmsg_type == NLMSG_ERROR) {
      const auto said = take_header<nlmsgerr>(datagram.subspan(sizeof(nlmsghdr)));
      return cannot(what, said && said->error != 0 ? -said->error : EPROTO);
    }
    done = read_netlink(datagram, take);
  }
  return {};
}

}  // namespace tenure::agent
