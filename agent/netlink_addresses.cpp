#include "agent/netlink_addresses.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <optional>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>

namespace tenure::agent {

namespace {

constexpr std::size_t datagram_bytes = 32768;  // what the kernel fills at the most

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

std::optional<address> read_address(int family, std::span<const std::byte> bytes) {
  if (family == AF_INET && bytes.size() == 4) {
    std::uint32_t bits = 0;
    for (const auto b : bytes) bits = bits << 8 | std::to_integer<std::uint32_t>(b);
    return address::v4(bits);
  }
  if (family != AF_INET6 || bytes.size() != 16) return std::nullopt;
  address::bytes_type copy;
  std::memcpy(copy.data(), bytes.data(), copy.size());
  return address::from_bytes(copy);
}

/// On a point-to-point link IFA_ADDRESS is the other end and IFA_LOCAL ours; elsewhere one of them may be
/// absent.
std::optional<address> local_address(std::span<const std::byte> body) {
  const auto header = take_header<ifaddrmsg>(body);
  if (!header || (header->ifa_flags & IFA_F_DADFAILED) != 0) return std::nullopt;
  body = body.subspan(std::min(aligned(sizeof(ifaddrmsg)), body.size()));
  std::optional<address> local;
  std::optional<address> stated;
  while (const auto attribute = take_header<rtattr>(body)) {
    if (attribute->rta_len < sizeof(rtattr) || attribute->rta_len > body.size()) break;
    const auto value = body.subspan(sizeof(rtattr), attribute->rta_len - sizeof(rtattr));
    if (attribute->rta_type == IFA_LOCAL) local = read_address(header->ifa_family, value);
    if (attribute->rta_type == IFA_ADDRESS) stated = read_address(header->ifa_family, value);
    body = body.subspan(std::min(aligned(attribute->rta_len), body.size()));
  }
  return local ? local : stated;
}

}  // namespace

bool read_address_messages(std::span<const std::byte> datagram,
                           const std::function<void(const address_message&)>& take) {
  while (const auto header = take_header<nlmsghdr>(datagram)) {
    if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) return false;
    if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) return true;
    if (header->nlmsg_type == RTM_NEWADDR || header->nlmsg_type == RTM_DELADDR) {
      const auto body = datagram.subspan(sizeof(nlmsghdr), header->nlmsg_len - sizeof(nlmsghdr));
      if (const auto a = local_address(body)) take({*a, header->nlmsg_type == RTM_DELADDR});
    }
    datagram = datagram.subspan(std::min(aligned(header->nlmsg_len), datagram.size()));
  }
  return false;
}

outcome<file_descriptor> open_route_socket(unsigned groups) {
  file_descriptor s{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  sockaddr_nl here{};
  here.nl_family = AF_NETLINK;
  here.nl_groups = groups;
  if (!s || ::bind(s.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) != 0)
    return fail(trouble::refused,
                "cannot ask the kernel for addresses: " + std::generic_category().message(errno));
  return s;
}

outcome<std::vector<address>> dump_addresses() {
  auto s = open_route_socket(0);
  if (!s) return tl::unexpected(s.error());
  const timeval limit{1, 0};
  ::setsockopt(s->get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  struct {
    nlmsghdr header;
    ifaddrmsg body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETADDR;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  std::vector<address> result;
  std::array<std::byte, datagram_bytes> buffer;
  if (::send(s->get(), &request, sizeof request, 0) < 0)
    return fail(trouble::refused,
                "cannot ask the kernel for addresses: " + std::generic_category().message(errno));
  bool done = false;
  while (!done) {
    const auto got = ::recv(s->get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return fail(trouble::refused,
                  "the kernel does not say its addresses: " + std::generic_category().message(errno));
    done = read_address_messages(std::span(buffer).first(static_cast<std::size_t>(got)),
                                 [&](const address_message& m) { result.push_back(m.address); });
  }
  return result;
}

}  // namespace tenure::agent
