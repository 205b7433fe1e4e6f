#include "agent/conntrack.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <map>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <system_error>
#include <utility>

#include "agent/netlink.hpp"
#include "agent/netns.hpp"

namespace tenure::agent {
namespace {

/// An entry outlives its connection by ten seconds at least, unless the two endpoints connect again; a port
/// is not used again for a second after an orderly close.
constexpr nanos latest = second;
constexpr nanos paths_pause = second;

constexpr std::uint16_t plain_type(std::uint16_t type) {
  return type & static_cast<std::uint16_t>(~(NLA_F_NESTED | NLA_F_NET_BYTEORDER));
}

/// A request in one buffer.
class request {
 public:
  request(std::uint32_t sequence, int family) {
    nlmsghdr header{};
    header.nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_GET;
    header.nlmsg_flags = NLM_F_REQUEST;
    header.nlmsg_seq = sequence;
    raw(header);
    nfgenmsg about{};
    about.nfgen_family = static_cast<__u8>(family);
    about.version = NFNETLINK_V0;
    raw(about);
  }

  template <class T>
  void attribute(std::uint16_t type, const T& value) {
    raw(nlattr{static_cast<__u16>(sizeof(nlattr) + sizeof value), type});
    raw(value);
    used_ = (used_ + 3) & ~std::size_t{3};
  }
  std::size_t begin(std::uint16_t type) {
    const auto at = used_;
    raw(nlattr{0, static_cast<__u16>(type | NLA_F_NESTED)});
    return at;
  }
  void end(std::size_t at) {
    const auto length = static_cast<__u16>(used_ - at);
    std::memcpy(bytes_.data() + at, &length, sizeof length);
  }
  std::span<const std::byte> finish() {
    const auto length = static_cast<__u32>(used_);
    std::memcpy(bytes_.data(), &length, sizeof length);
    return std::span(bytes_).first(used_);
  }

 private:
  template <class T>
  void raw(const T& value) {
    std::memcpy(bytes_.data() + used_, &value, sizeof value);
    used_ += sizeof value;
  }
  alignas(nlmsghdr) std::array<std::byte, 256> bytes_{};
  std::size_t used_ = 0;
};

void put_address(request& r, const address& a, std::uint16_t v4, std::uint16_t v6) {
  if (a.is_v4())
    r.attribute(v4, htonl(a.v4_bits()));
  else
    r.attribute(v6, a.bytes());
}

std::span<const std::byte> put_tuple(request& r, std::uint16_t which, const endpoint& from,
                                     const endpoint& to) {
  const auto tuple = r.begin(which);
  const auto addresses = r.begin(CTA_TUPLE_IP);
  put_address(r, from.address, CTA_IP_V4_SRC, CTA_IP_V6_SRC);
  put_address(r, to.address, CTA_IP_V4_DST, CTA_IP_V6_DST);
  r.end(addresses);
  const auto ports = r.begin(CTA_TUPLE_PROTO);
  r.attribute(CTA_PROTO_NUM, std::uint8_t{IPPROTO_TCP});
  r.attribute(CTA_PROTO_SRC_PORT, htons(from.port));
  r.attribute(CTA_PROTO_DST_PORT, htons(to.port));
  r.end(ports);
  r.end(tuple);
  return r.finish();
}

std::optional<address> read_address(std::span<const std::byte> value) {
  if (const auto bits = take_header<std::uint32_t>(value); bits && value.size() == sizeof *bits)
    return address::v4(ntohl(*bits));
  if (const auto bytes = take_header<address::bytes_type>(value)) return address::from_bytes(*bytes);
  return std::nullopt;
}

std::uint16_t read_port(std::span<const std::byte> value) {
  return ntohs(take_header<std::uint16_t>(value).value_or(0));
}

void read_tuple(std::span<const std::byte> tuple, endpoint& from, endpoint& to) {
  read_attributes(tuple, 0, [&](std::uint16_t part, std::span<const std::byte> inner) {
    read_attributes(inner, 0, [&](std::uint16_t type, std::span<const std::byte> value) {
      if (plain_type(part) == CTA_TUPLE_IP) {
        const auto a = read_address(value);
        if (a && (plain_type(type) == CTA_IP_V4_SRC || plain_type(type) == CTA_IP_V6_SRC)) from.address = *a;
        if (a && (plain_type(type) == CTA_IP_V4_DST || plain_type(type) == CTA_IP_V6_DST)) to.address = *a;
      } else if (plain_type(part) == CTA_TUPLE_PROTO) {
        if (plain_type(type) == CTA_PROTO_SRC_PORT) from.port = read_port(value);
        if (plain_type(type) == CTA_PROTO_DST_PORT) to.port = read_port(value);
      }
    });
  });
}

outcome<file_descriptor> open_conntrack() {
  auto s = open_netlink(NETLINK_NETFILTER, 0);
  if (!s) return s;
  const timeval limit{1, 0};
  ::setsockopt(s->get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  return s;
}

}  // namespace

std::optional<tracked_connection> read_tracked(std::span<const std::byte> body) {
  tracked_connection c;
  read_attributes(body, sizeof(nfgenmsg), [&](std::uint16_t type, std::span<const std::byte> value) {
    if (plain_type(type) == CTA_TUPLE_ORIG) read_tuple(value, c.asking, c.asked);
    if (plain_type(type) == CTA_TUPLE_REPLY) read_tuple(value, c.answering, c.answered);
    if (plain_type(type) != CTA_PROTOINFO) return;
    read_attributes(value, 0, [&](std::uint16_t protocol, std::span<const std::byte> inner) {
      if (plain_type(protocol) != CTA_PROTOINFO_TCP) return;
      read_attributes(inner, 0, [&](std::uint16_t what, std::span<const std::byte> state) {
        if (plain_type(what) == CTA_PROTOINFO_TCP_STATE)
          c.state = take_header<std::uint8_t>(state).value_or(0);
      });
    });
  });
  if (c.asked.port == 0 || c.answering.port == 0) return std::nullopt;
  return c;
}

bool can_be_of(const tracked_connection& entry, const flow& f) {
  // The socket is still there, so nobody else has its two endpoints.
  if (f.end == end_reason::active_timeout || f.end == end_reason::forced_end) return true;
  const bool over = entry.state >= TCP_CONNTRACK_FIN_WAIT && entry.state <= TCP_CONNTRACK_CLOSE;
  return over || (!f.times.is_established && entry.state != TCP_CONNTRACK_ESTABLISHED);
}

conntrack::conntrack(std::shared_ptr<const boot_clock> clock, std::shared_ptr<look_failures> failures)
    : clock_(std::move(clock)), failures_(std::move(failures)), own_cookie_(current_netns_cookie()) {
  if (auto opened = open_conntrack())
    own_ = std::move(*opened);
  else
    failures_->failed(opened.error());
}

void conntrack::translate(std::vector<observed_flow>& flows) {
  std::map<std::uint64_t, std::vector<seen_flow>> by_netns;
  const nanos now = clock_->now();
  for (auto& o : flows) {
    auto& f = o.flow;
    if (f.transport != transport_protocol::tcp || f.far_address.is_host_local()) continue;
    const bool open = f.end == end_reason::active_timeout || f.end == end_reason::forced_end;
    if (!open && now - f.times.closed > latest) {
      ++too_late_;
      continue;
    }
    const endpoint near{f.near_address, f.near_port};
    const endpoint far{f.far_address, f.far_port};
    const bool opened = f.reporter == reporter::source;
    by_netns[o.netns_cookie].push_back({&o, opened ? near : far, opened ? far : near});
  }
  for (auto& [cookie, seen] : by_netns) {
    if (cookie != own_cookie_) ask_elsewhere(cookie, seen);
    if (own_) ask_in(own_, seen);
  }
}

void conntrack::ask_in(const file_descriptor& socket, std::vector<seen_flow>& flows) {
  for (auto& seen : flows)
    if (!ask(socket, seen)) return;
}

/// @returns whether the kernel answered at all.
bool conntrack::ask(const file_descriptor& socket, seen_flow& seen) {
  auto& f = seen.flow->flow;
  const bool opened = f.reporter == reporter::source;
  request r(++sequence_, seen.destination.address.is_v4() ? AF_INET : AF_INET6);
  const auto bytes = opened ? put_tuple(r, CTA_TUPLE_ORIG, seen.source, seen.destination)
                            : put_tuple(r, CTA_TUPLE_REPLY, seen.destination, seen.source);
  if (::send(socket.get(), bytes.data(), bytes.size(), 0) < 0) {
    failures_->failed(
        {trouble::refused, "cannot ask connection tracking: " + std::generic_category().message(errno)});
    return false;
  }
  alignas(nlmsghdr) std::array<std::byte, 4096> buffer;
  std::optional<tracked_connection> entry;
  while (true) {
    const auto got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      failures_->failed({trouble::refused, "connection tracking does not answer"});
      return false;
    }
    const auto datagram = std::span(buffer).first(static_cast<std::size_t>(got));
    const auto header = take_header<nlmsghdr>(datagram);
    if (!header || header->nlmsg_seq != sequence_) continue;  // of a question that was given up
    if (header->nlmsg_type == NLMSG_ERROR) {
      const auto said = take_header<nlmsgerr>(datagram.subspan(sizeof(nlmsghdr)));
      if (said && said->error == -ENOENT) return true;  // it is not tracked here
      failures_->failed(
          {trouble::refused, "connection tracking refuses to answer: " +
                                 std::generic_category().message(said ? -said->error : EPROTO)});
      return false;
    }
    read_netlink(datagram,
                 [&](std::uint16_t, std::span<const std::byte> body) { entry = read_tracked(body); });
    break;
  }
  failures_->worked();
  if (!entry || !can_be_of(*entry, f)) return true;
  const bool elsewhere = opened ? entry->answering != seen.destination : entry->asked != seen.destination;
  const endpoint dialled = f.dialled.port != 0 ? f.dialled : entry->asked;
  if (opened) {
    // Where there is a second translation on the way, it sees what this one made of the packets.
    seen.source = entry->answered;
    seen.destination = entry->answering;
    f.far_address = entry->answering.address;
    f.far_port = entry->answering.port;
  }
  if (!elsewhere) return true;
  f.dialled = dialled;
  ++translated_;
  return true;
}

void conntrack::ask_elsewhere(std::uint64_t cookie, std::vector<seen_flow>& flows) {
  const auto* path = path_of(cookie);
  if (path == nullptr) return;
  bool there = false;
  std::ignore = run_in_netns(*path, [&] {
    there = current_netns_cookie() == cookie;
    if (!there) return;
    const auto socket = open_conntrack();
    if (socket)
      ask_in(*socket, flows);
    else
      failures_->failed(socket.error());
  });
  if (!there) paths_.erase(cookie);  // it may go by another path now
}

const std::string* conntrack::path_of(std::uint64_t cookie) {
  if (const auto known = paths_.find(cookie); known != paths_.end()) return &known->second;
  const nanos now = clock_->now();
  if (paths_read_ != time_min && now - paths_read_ < paths_pause) return nullptr;
  paths_read_ = now;
  paths_.clear();
  for (const auto& path : netns_paths()) {
    std::uint64_t found = 0;
    std::ignore = run_in_netns(path, [&] { found = current_netns_cookie(); });
    if (found != 0) paths_.emplace(found, path);
  }
  const auto known = paths_.find(cookie);
  return known == paths_.end() ? nullptr : &known->second;
}

}  // namespace tenure::agent
