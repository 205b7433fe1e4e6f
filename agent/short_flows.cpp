#include "agent/short_flows.hpp"

#include <algorithm>
#include <limits>

namespace tenure::agent {
namespace {

void add(std::uint32_t& to, std::uint32_t more) {
  to = more > std::numeric_limits<std::uint32_t>::max() - to ? std::numeric_limits<std::uint32_t>::max()
                                                             : to + more;
}

/// 0 is "never measured".
std::uint32_t smaller_known(std::uint32_t a, std::uint32_t b) {
  if (a == 0 || b == 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

bool short_flows::may_share(const observed_flow& f) {
  const auto& t = f.flow.times;
  return !f.open_before_agent && f.flow.part == 0 && f.flow.end == end_reason::end_of_flow &&
         t.opened != time_min && t.closed >= t.opened && t.closed - t.opened <= longest_short;
}

std::size_t short_flows::place_of(const observed_flow& o, workload_id named, std::size_t place) {
  const auto& f = o.flow;
  const auto service = f.reporter == reporter::source ? f.far_port : f.near_port;
  return first_
      .try_emplace(kind{o.netns_cookie, f.near_address, f.far_address, service, f.near_tenancy, named,
                        f.reporter, f.transport, f.times.is_established, f.connect_errno, f.dialled},
                   place)
      .first->second;
}

void short_flows::join(flow& into, const flow& more) {
  if (into.connections == 1) {
    (into.reporter == reporter::source ? into.near_port : into.far_port) = 0;
    into.near_initial_sequence = into.far_initial_sequence = 0;
    into.end = end_reason::lack_of_resources;
    // No one handshake is all of theirs: the far end has to be proved for the whole span.
    into.times.is_established = false;
    into.times.established = into.times.opened;
  }
  ++into.connections;
  auto& t = into.times;
  t.opened = std::min(t.opened, more.times.opened);
  t.closed = std::max(t.closed, more.times.closed);
  t.last_received = std::max(t.last_received, more.times.last_received);
  t.transit = std::max(t.transit, more.times.transit);
  t.error = std::max(t.error, more.times.error);
  auto& c = into.counters;
  c.bytes_sent += more.counters.bytes_sent;
  c.bytes_received += more.counters.bytes_received;
  add(c.segments_sent, more.counters.segments_sent);
  add(c.segments_received, more.counters.segments_received);
  add(c.retransmits, more.counters.retransmits);
  c.srtt_us = std::max(c.srtt_us, more.counters.srtt_us);
  c.min_rtt_us = smaller_known(c.min_rtt_us, more.counters.min_rtt_us);
  c.connect_us = std::max(c.connect_us, more.counters.connect_us);
}

}  // namespace tenure::agent
