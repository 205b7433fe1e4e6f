#include "agent/netlink_addresses.hpp"

#include <cstdint>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <optional>
#include <sys/socket.h>

#include "agent/netlink.hpp"

namespace tenure::agent {

namespace {

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
  std::optional<address> local;
  std::optional<address> stated;
  read_attributes(body, sizeof(ifaddrmsg), [&](std::uint16_t type, std::span<const std::byte> value) {
    if (type == IFA_LOCAL) local = read_address(header->ifa_family, value);
    if (type == IFA_ADDRESS) stated = read_address(header->ifa_family, value);
  });
  return local ? local : stated;
}

void take_address(std::uint16_t type, std::span<const std::byte> body,
                  const std::function<void(const address_message&)>& take) {
  if (type != RTM_NEWADDR && type != RTM_DELADDR) return;
  if (const auto a = local_address(body)) take({*a, type == RTM_DELADDR});
}

}  // namespace

bool read_address_messages(std::span<const std::byte> datagram,
                           const std::function<void(const address_message&)>& take) {
  return read_netlink(
      datagram, [&](std::uint16_t type, std::span<const std::byte> body) { take_address(type, body, take); });
}

outcome<std::vector<address>> dump_addresses() {
  struct {
    nlmsghdr header;
    ifaddrmsg body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETADDR;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  std::vector<address> result;
  auto done =
      netlink_dump(NETLINK_ROUTE, std::as_bytes(std::span(&request, 1)), "its addresses",
                   [&](std::uint16_t type, std::span<const std::byte> body) {
                     take_address(type, body, [&](const address_message& m) { result.push_back(m.address); });
                   });
  if (!done) return tl::unexpected(done.error());
  return result;
}

}  // namespace tenure::agent
