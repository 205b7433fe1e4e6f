#include "agent/forwarding_watch.hpp"

#include <array>
#include <cerrno>
#include <linux/netconf.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <optional>
#include <sys/socket.h>
#include <system_error>

#include "agent/netlink.hpp"

namespace tenure::agent {
namespace {

static_assert(forwarding_groups == (1U << (RTNLGRP_IPV4_NETCONF - 1) | 1U << (RTNLGRP_IPV6_NETCONF - 1)));

constexpr std::uint16_t netconfa_force_forwarding = 9;  // IPv6, since 6.17; not in Debian 12's headers

void take_forwarding(std::uint16_t type, std::span<const std::byte> body,
                     const std::function<void(const forwarding_message&)>& take) {
  if (type != RTM_NEWNETCONF) return;
  std::optional<int> interface;
  std::optional<bool> on;
  read_attributes(body, sizeof(netconfmsg), [&](std::uint16_t what, std::span<const std::byte> value) {
    const auto number = take_header<std::int32_t>(value);
    if (!number) return;
    if (what == NETCONFA_IFINDEX) interface = *number;
    if (what == NETCONFA_FORWARDING || what == netconfa_force_forwarding)
      on = on.value_or(false) || *number != 0;
  });
  // The default is of interfaces that are still to come, of which there will be messages.
  if (on && interface != NETCONFA_IFINDEX_DEFAULT) take({*on});
}

}  // namespace

bool read_forwarding_messages(std::span<const std::byte> datagram,
                              const std::function<void(const forwarding_message&)>& take) {
  return read_netlink(datagram, [&](std::uint16_t type, std::span<const std::byte> body) {
    take_forwarding(type, body, take);
  });
}

outcome<bool> dump_forwarding() {
  bool on = false;
  for (const int family : {AF_INET, AF_INET6}) {
    struct {
      nlmsghdr header;
      netconfmsg body;
    } request{};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_GETNETCONF;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.body.ncm_family = static_cast<__u8>(family);
    auto done =
        netlink_dump(NETLINK_ROUTE, std::as_bytes(std::span(&request, 1)), "what it forwards",
                     [&](std::uint16_t type, std::span<const std::byte> body) {
                       take_forwarding(type, body, [&](const forwarding_message& m) { on = on || m.on; });
                     });
    // A kernel without IPv6 answers with IPv4's alone.
    if (!done) return tl::unexpected(done.error());
  }
  return on;
}

outcome<forwarding_watch> forwarding_watch::start() {
  auto socket = open_netlink(NETLINK_ROUTE, forwarding_groups);
  if (!socket) return tl::unexpected(socket.error());
  return forwarding_watch(std::move(*socket));
}

outcome<forwarding> forwarding_watch::look() {
  // First the state, then what was said: a spell that had begun when the state was read is in the one, one
  // that had ended is in the other.
  const auto now = dump_forwarding();
  if (!now) return tl::unexpected(now.error());
  bool was = *now;
  std::array<std::byte, netlink_datagram_bytes> buffer;
  while (true) {
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {  // lost messages
      was = true;
      continue;
    }
    if (got < 0 && errno != EAGAIN)
      return fail(trouble::refused,
                  "cannot read what began to forward: " + std::generic_category().message(errno));
    if (got <= 0) break;
    read_forwarding_messages(std::span(buffer).first(static_cast<std::size_t>(got)),
                             [&](const forwarding_message& m) { was = was || m.on; });
  }
  if (was) ++spells_;
  return forwarding{*now, spells_};
}

}  // namespace tenure::agent
