#include "demo/netlink.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <utility>

#include <fmt/format.h>

namespace tenure::demo {
namespace {

constexpr std::uint16_t create = NLM_F_CREATE | NLM_F_EXCL;

ifinfomsg link(int index) {
  ifinfomsg m{};
  m.ifi_family = AF_UNSPEC;
  m.ifi_index = index;
  return m;
}

std::string trouble_of(int error) {
  return std::strerror(error);
}

}  // namespace

void link_changes::begin(std::uint16_t type, std::uint16_t flags, std::string what) {
  message_ = bytes_.size();
  nlmsghdr header{};
  header.nlmsg_len = sizeof(header);
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
  const auto* raw = reinterpret_cast<const std::byte*>(&header);
  bytes_.insert(bytes_.end(), raw, raw + sizeof(header));
  what_.push_back(std::move(what));
}

void link_changes::body(const void* data, std::size_t size) {
  const auto* raw = static_cast<const std::byte*>(data);
  bytes_.insert(bytes_.end(), raw, raw + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
  const auto length = static_cast<std::uint32_t>(bytes_.size() - message_);
  std::memcpy(bytes_.data() + message_, &length, sizeof(length));  // nlmsg_len is the header's first field
}

void link_changes::attribute(std::uint16_t type, const void* data, std::size_t size) {
  rtattr header{};
  header.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
  header.rta_type = type;
  std::vector<std::byte> raw(RTA_LENGTH(size));
  std::memcpy(raw.data(), &header, sizeof(header));
  if (size > 0) std::memcpy(raw.data() + RTA_LENGTH(0), data, size);
  body(raw.data(), raw.size());
}

void link_changes::attribute(std::uint16_t type, std::string_view text) {
  attribute(type, std::string(text).c_str(), text.size() + 1);
}

std::size_t link_changes::nest(std::uint16_t type) {
  const std::size_t at = bytes_.size();
  attribute(type, nullptr, 0);
  return at;
}

void link_changes::close_nest(std::size_t at) {
  const auto length = static_cast<std::uint16_t>(bytes_.size() - at);
  std::memcpy(bytes_.data() + at, &length, sizeof(length));  // rta_len is the header's first field
}

link_changes& link_changes::add_bridge(std::string_view name) {
  begin(RTM_NEWLINK, create, fmt::format("make the bridge {}", name));
  const auto m = link(0);
  body(&m, sizeof(m));
  attribute(IFLA_IFNAME, name);
  const auto info = nest(IFLA_LINKINFO);
  attribute(IFLA_INFO_KIND, std::string_view("bridge"));
  const auto data = nest(IFLA_INFO_DATA);
  const std::uint8_t off = 0;
  attribute(IFLA_BR_MCAST_SNOOPING, &off, sizeof(off));
  close_nest(data);
  close_nest(info);
  return *this;
}

link_changes& link_changes::add_veth(std::string_view name, std::string_view peer, int peer_namespace) {
  begin(RTM_NEWLINK, create, fmt::format("make the link {}", name));
  const auto m = link(0);
  body(&m, sizeof(m));
  attribute(IFLA_IFNAME, name);
  const auto info = nest(IFLA_LINKINFO);
  attribute(IFLA_INFO_KIND, std::string_view("veth"));
  const auto data = nest(IFLA_INFO_DATA);
  const auto other = nest(VETH_INFO_PEER);
  body(&m, sizeof(m));
  attribute(IFLA_IFNAME, peer);
  attribute(IFLA_NET_NS_FD, &peer_namespace, sizeof(peer_namespace));
  close_nest(other);
  close_nest(data);
  close_nest(info);
  return *this;
}

link_changes& link_changes::remove(std::string_view name) {
  begin(RTM_DELLINK, 0, fmt::format("remove the link {}", name));
  const auto m = link(0);
  body(&m, sizeof(m));
  attribute(IFLA_IFNAME, name);
  return *this;
}

link_changes& link_changes::set_up(std::string_view name) {
  begin(RTM_SETLINK, 0, fmt::format("set the link {} up", name));
  auto m = link(0);
  m.ifi_flags = IFF_UP;
  m.ifi_change = IFF_UP;
  body(&m, sizeof(m));
  attribute(IFLA_IFNAME, name);
  return *this;
}

link_changes& link_changes::set_mac(int index, const mac_address& mac) {
  begin(RTM_SETLINK, 0, "set the hardware address");
  const auto m = link(index);
  body(&m, sizeof(m));
  attribute(IFLA_ADDRESS, mac.data(), mac.size());
  return *this;
}

link_changes& link_changes::attach(std::string_view name, int bridge_index) {
  begin(RTM_SETLINK, 0, fmt::format("join {} to the bridge", name));
  const auto m = link(0);
  body(&m, sizeof(m));
  attribute(IFLA_IFNAME, name);
  attribute(IFLA_MASTER, &bridge_index, sizeof(bridge_index));
  return *this;
}

link_changes& link_changes::shut_port(int index) {
  begin(RTM_SETLINK, 0, "shut a port of the bridge");
  auto m = link(index);
  m.ifi_family = AF_BRIDGE;
  body(&m, sizeof(m));
  const auto port = nest(IFLA_PROTINFO | NLA_F_NESTED);
  const std::uint8_t disabled = 0;
  attribute(IFLA_BRPORT_STATE, &disabled, sizeof(disabled));
  close_nest(port);
  return *this;
}

namespace {

/// The bytes of an address as its family has them.
struct family_bytes {
  std::uint8_t family;
  std::array<std::uint8_t, 16> bytes;
  std::size_t size;
};

family_bytes bytes_of(address a) {
  const auto all = a.bytes();
  if (!a.is_v4()) return {AF_INET6, all, 16};
  return {AF_INET, {all[12], all[13], all[14], all[15]}, 4};
}

}  // namespace

void link_changes::address_message(int index, address a, int length) {
  const auto raw = bytes_of(a);
  ifaddrmsg m{};
  m.ifa_family = raw.family;
  m.ifa_prefixlen = static_cast<std::uint8_t>(length);
  m.ifa_flags = raw.family == AF_INET6 ? IFA_F_NODAD : 0;
  m.ifa_index = static_cast<std::uint32_t>(index);
  body(&m, sizeof(m));
  attribute(IFA_LOCAL, raw.bytes.data(), raw.size);
  attribute(IFA_ADDRESS, raw.bytes.data(), raw.size);
}

link_changes& link_changes::add_address(int index, address a, int length) {
  begin(RTM_NEWADDR, create, fmt::format("add the address {}", a.to_string()));
  address_message(index, a, length);
  return *this;
}

link_changes& link_changes::remove_address(int index, address a, int length) {
  begin(RTM_DELADDR, 0, fmt::format("remove the address {}", a.to_string()));
  address_message(index, a, length);
  return *this;
}

link_changes& link_changes::add_neighbour(int index, address a, const mac_address& mac) {
  begin(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, fmt::format("add the neighbour {}", a.to_string()));
  const auto raw = bytes_of(a);
  ndmsg m{};
  m.ndm_family = raw.family;
  m.ndm_ifindex = index;
  m.ndm_state = NUD_PERMANENT;
  body(&m, sizeof(m));
  attribute(NDA_DST, raw.bytes.data(), raw.size);
  attribute(NDA_LLADDR, mac.data(), mac.size());
  return *this;
}

outcome<link_socket> link_socket::open() {
  link_socket s;
  s.socket_.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!s.socket_) return fail(trouble::refused, "no rtnetlink socket: " + trouble_of(errno));
  const timeval bound{5, 0};
  ::setsockopt(s.socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
  const int capped = 1;  // acknowledgements need not carry the request back
  ::setsockopt(s.socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &capped, sizeof(capped));
  return s;
}

outcome<int> link_socket::index_of(std::string_view name) {
  ifreq request{};
  name.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
  if (::ioctl(socket_.get(), SIOCGIFINDEX, &request) != 0) {
    return fail(trouble::refused, fmt::format("no link {}: {}", name, trouble_of(errno)));
  }
  return request.ifr_ifindex;
}

outcome<void> link_socket::apply(const link_changes& changes) {
  std::vector<std::byte> bytes = changes.bytes_;
  const std::uint32_t first = sequence_ + 1;
  for (std::size_t at = 0; at < bytes.size();) {
    nlmsghdr header{};
    std::memcpy(&header, bytes.data() + at, sizeof(header));
    header.nlmsg_seq = ++sequence_;
    // Refusals are told in any case; when the last one is answered, all are done.
    if (at + header.nlmsg_len == bytes.size()) header.nlmsg_flags |= NLM_F_ACK;
    std::memcpy(bytes.data() + at, &header, sizeof(header));
    at += header.nlmsg_len;
  }
  if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) {
    return fail(trouble::refused, "rtnetlink: " + trouble_of(errno));
  }
  outcome<void> result;
  for (std::uint32_t acknowledged = first - 1; acknowledged != sequence_;) {
    std::array<std::byte, 16384> reply;
    ssize_t size = ::recv(socket_.get(), reply.data(), reply.size(), 0);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return fail(trouble::refused, "rtnetlink does not answer: " + trouble_of(errno));
    const auto end = static_cast<std::size_t>(size);
    for (std::size_t at = 0; at + sizeof(nlmsghdr) <= end;) {
      nlmsghdr header{};
      std::memcpy(&header, reply.data() + at, sizeof(header));
      if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > end - at) break;
      if (header.nlmsg_type == NLMSG_ERROR && header.nlmsg_seq >= first) {
        acknowledged = header.nlmsg_seq;
        int error = 0;  // the first field of nlmsgerr, negative
        std::memcpy(&error, reply.data() + at + sizeof(header), sizeof(error));
        if (error != 0 && result) {
          result =
              fail(trouble::refused,
                   fmt::format("cannot {}: {}", changes.what_[header.nlmsg_seq - first], trouble_of(-error)));
        }
      }
      at += NLMSG_ALIGN(header.nlmsg_len);
    }
  }
  return result;
}

}  // namespace tenure::demo
