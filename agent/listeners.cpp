#include "agent/listeners.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>

#include "agent/netlink.hpp"

namespace tenure::agent {
namespace {

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
  read_attributes(body, sizeof(inet_diag_msg), [&](std::uint16_t type, std::span<const std::byte> value) {
    if (type == INET_DIAG_CGROUP_ID) l.cgroup = value_of<std::uint64_t>(value);
    if (type == INET_DIAG_SKV6ONLY) only_v6 = value_of<std::uint8_t>(value) != 0;
  });
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

void take_listener(std::uint16_t type, std::span<const std::byte> body, std::vector<listener>& into) {
  if (type != SOCK_DIAG_BY_FAMILY) return;
  if (const auto l = read_one(body)) into.push_back(*l);
}

outcome<void> dump(int family, std::vector<listener>& into) {
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
  return netlink_dump(
      NETLINK_SOCK_DIAG, std::as_bytes(std::span(&request, 1)), "who listens",
      [&](std::uint16_t type, std::span<const std::byte> b) { take_listener(type, b, into); });
}

}  // namespace

bool read_listeners(std::span<const std::byte> datagram, std::vector<listener>& into) {
  return read_netlink(
      datagram, [&](std::uint16_t type, std::span<const std::byte> b) { take_listener(type, b, into); });
}

outcome<std::vector<listener>> dump_listeners() {
  std::vector<listener> all;
  for (const int family : {AF_INET, AF_INET6})
    if (auto done = dump(family, all); !done) return tl::unexpected(done.error());
  return all;
}

}  // namespace tenure::agent
