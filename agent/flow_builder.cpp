#include "agent/flow_builder.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/types.h>

#include "bpf/socket_event.h"

namespace tenure::agent {

namespace {

address address_of(const __u8 (&bytes)[16]) {
  address::bytes_type copy;
  std::memcpy(copy.data(), bytes, copy.size());
  return address::from_bytes(copy);
}

/// A FIN or a RST is a signal, either way. Where the kernel gave up on a silent far end there was none.
end_reason end_of(const tenure_socket_event& e) {
  if (e.flags & TENURE_SOCKET_CUT_OFF) return end_reason::forced_end;
  if (e.flags & TENURE_SOCKET_STILL_OPEN) return end_reason::active_timeout;
  if (e.flags & TENURE_SOCKET_IDLE) return end_reason::idle_timeout;
  if (e.flags & TENURE_SOCKET_CROWDED_OUT) return end_reason::lack_of_resources;
  switch (e.error) {
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return end_reason::idle_timeout;
    default:
      return end_reason::end_of_flow;
  }
}

flow_counters counters_of(const tenure_socket_event& e) {
  flow_counters c;
  c.bytes_sent = e.bytes_sent;
  c.bytes_received = e.bytes_received;
  c.segments_sent = e.segments_sent;
  c.segments_received = e.segments_received;
  c.retransmits = e.retransmits;
  c.srtt_us = e.srtt_us;
  c.min_rtt_us = e.min_rtt_us == ~0U ? 0 : e.min_rtt_us;
  constexpr auto timed = TENURE_SOCKET_ACTIVE | TENURE_SOCKET_ESTABLISHED | TENURE_SOCKET_OPENED_KNOWN;
  if ((e.flags & timed) == timed && e.established_ns >= e.opened_ns)
    c.connect_us = static_cast<std::uint32_t>(
        std::min<std::uint64_t>((e.established_ns - e.opened_ns) / microsecond, ~std::uint32_t{0}));
  return c;
}

}  // namespace

flow_times flow_builder::times_of(const tenure_socket_event& e) const {
  flow_times t;
  t.closed = static_cast<nanos>(e.closed_ns);
  t.opened = e.flags & TENURE_SOCKET_OPENED_KNOWN ? static_cast<nanos>(e.opened_ns) : time_min;
  t.transit = std::max(transit_floor_, nanos{4} * e.srtt_us * microsecond);
  t.error = stamp_error;
  t.is_established = (e.flags & TENURE_SOCKET_ESTABLISHED) != 0;
  t.last_received = t.opened;
  if (e.flags & TENURE_SOCKET_UDP) t.last_received = time_min;
  if (!t.is_established) return t;
  t.established = static_cast<nanos>(e.established_ns);
  // The handshake's last segment was accepted then; a later one may have been, as the later of the two
  // jiffies says. They are zero when never set. Jiffies stand still in a suspend, so the offset from before
  // it gives the earlier time.
  t.last_received = t.established;
  for (const std::uint32_t stamp : {e.last_ack_jiffies, e.last_data_jiffies}) {
    if (stamp == 0) continue;
    const nanos accepted = clock_.not_before(jiffy_clock::widen(stamp, e.jiffies)) + e.boot_offset_ns;
    t.last_received = std::max(t.last_received, std::min(accepted, t.closed));
  }
  return t;
}

observed_flow flow_builder::build(const tenure_socket_event& e) {
  observed_flow result;
  auto& f = result.flow;
  // Two counts, the kernel's and ours, that never meet.
  f.connection = e.connection != 0 ? 2 * e.connection + 1 : 2 * ++connections_;
  f.part = e.part;
  f.reporter = e.flags & TENURE_SOCKET_ACTIVE ? reporter::source : reporter::destination;
  f.transport = e.flags & TENURE_SOCKET_UDP ? transport_protocol::udp : transport_protocol::tcp;
  f.end = end_of(e);
  f.near_address = address_of(e.near_address);
  f.far_address = address_of(e.far_address);
  f.near_port = e.near_port;
  f.far_port = e.far_port;
  f.near_tenancy = {e.near_incarnation, e.near_sequence};
  f.times = times_of(e);
  f.counters = counters_of(e);
  f.near_initial_sequence = e.near_initial_sequence;
  f.far_initial_sequence = e.far_initial_sequence;
  if (e.dialled_port != 0) f.dialled = {address_of(e.dialled_address), e.dialled_port};
  if (!f.times.is_established) f.connect_errno = e.error;
  result.netns_cookie = e.cookie;
  result.cgroup = e.cgroup;
  result.open_before_agent = (e.flags & TENURE_SOCKET_OPEN_BEFORE) != 0;
  return result;
}

}  // namespace tenure::agent
