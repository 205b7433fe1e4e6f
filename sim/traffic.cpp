#include "sim/traffic.hpp"

#include <algorithm>

namespace tenure::sim {
namespace {

constexpr nanos syn_timeout = second;
constexpr nanos request_timeout = 300 * millisecond;
constexpr nanos probe_timeout = 2 * second;
// Where nobody of the fleet is: outside what the nodes route, and host-local. Nobody answers.
const address beyond_the_fleet = address::v4(0xc633'6407);
const address metadata_service = address::v4(0xa9fe'a9fe);
constexpr std::uint32_t most_syns = 4;
constexpr std::uint32_t most_requests = 5;
constexpr std::uint32_t most_probes = 3;

}  // namespace

traffic::traffic(surroundings& around, const traffic_options& options, fleet& tenants,
                 std::vector<std::unique_ptr<host>>& hosts, stamp_rules rules)
    : around_(around),
      options_(options),
      tenants_(tenants),
      hosts_(hosts),
      rules_(rules),
      draw_(around.draw.fork()) {}

void traffic::ready(instance_id who) {
  if (options_.callers > 0 && around_.truth.of(who).workload >= options_.callers) return;
  connect_soon(who);
}

void traffic::connect_soon(instance_id who) {
  around_.time.after(wait(options_.connect_every), [this, who] {
    if (stopped_ || !tenants_.usable(who)) return;
    if (happens(options_.only, ++attempts_) && !host_of(who).guest_paused()) connect(who);
    connect_soon(who);
  });
}

/// An address of a workload that this one calls, as a service registry with a delay would give it.
address traffic::pick_address(instance_id who) {
  if (options_.outside_share > 0 && draw_.chance(options_.outside_share))
    return draw_.chance(0.5) ? beyond_the_fleet : metadata_service;
  const auto& me = around_.truth.of(who);
  const std::uint32_t callee =
      static_cast<std::uint32_t>((me.workload + 1 + draw_.below(options_.callees)) % tenants_.workloads());
  if (draw_.chance(options_.stale_share)) {
    const nanos then = around_.time.now() - draw_.between(0, options_.stale_age);
    const auto old = tenants_.recently_gone(callee, then, draw_);
    if (old != no_instance) return around_.truth.of(old).address;
  }
  const auto& all = tenants_.usable_of(callee);
  if (all.empty()) return me.address;
  return around_.truth.of(all[draw_.below(all.size())]).address;
}

void traffic::connect(instance_id who) {
  const auto& me = around_.truth.of(who);
  const address to = pick_address(who);
  if (to == me.address) return;
  if (draw_.chance(options_.udp_share)) {
    datagrams(who, to);
    return;
  }
  connection c;
  c.number = next_++;
  c.client_address = me.address;
  c.server_address = to;
  c.client_port = static_cast<std::uint16_t>(32768 + c.number % 28000);
  c.server_port = service_port;
  c.first_syn = around_.time.now();
  c.client.phase = socket_phase::opening;
  c.client.owner = who;
  c.client.stamp = host_of(who).stamp(me, c.client_port);
  c.client.opened = c.first_syn;
  c.client.exchanges_left = 1 + static_cast<std::uint32_t>(wait(options_.exchanges));
  if (by_instance_.size() <= who) by_instance_.resize(who + 1);
  by_instance_[who].push_back(c.number);
  if (draw_.chance(options_.masquerade_share)) {
    const auto& others = tenants_.usable_of(static_cast<std::uint32_t>(draw_.below(tenants_.workloads())));
    if (!others.empty()) {
      c.client_address = around_.truth.of(others[draw_.below(others.size())]).address;
      c.masqueraded = true;
    }
  }
  auto& mine = open_.emplace(c.number, c).first->second;
  send_to_server(mine, segment_kind::syn);
  mine.client.tries = 1;
  arm(mine, mine.client, syn_timeout);
}

void traffic::datagrams(instance_id who, address to) {
  const nanos opened = around_.time.now();
  around_.time.after(wait(options_.exchange_gap),
                     [this, who, to, opened] { end_datagrams(who, to, opened); });
}

void traffic::end_datagrams(instance_id who, address to, nanos opened) {
  if (host_of(who).guest_paused()) {
    around_.time.after(second, [this, who, to, opened] { end_datagrams(who, to, opened); });
    return;
  }
  const auto& me = around_.truth.of(who);
  if (!me.alive()) return;
  socket_record r;
  r.near = who;
  r.far_address = to;
  r.far_port = service_port;
  r.opened = opened;
  r.closed = around_.time.now();
  agent::observed_flow o;
  o.flow.transport = transport_protocol::udp;
  o.flow.near_address = me.address;
  o.flow.near_port = 50000;
  o.flow.near_tenancy = host_of(who).stamp(me, 50000);
  o.flow.times.established = time_min;
  o.flow.times.last_received = time_min;
  o.flow.times.error = options_.tick;
  hand_over(r, o);
}

void traffic::arm(connection& c, tcp_socket& s, nanos after) {
  const auto timer = ++s.timer;
  around_.time.after(after, [this, n = c.number, owner = s.owner, timer] { on_timer(n, owner, timer); });
}

void traffic::on_timer(number n, instance_id owner, std::uint64_t timer) {
  const auto known = open_.find(n);
  if (known == open_.end()) return;
  auto& c = known->second;
  for (const bool server : {false, true}) {
    auto* s = socket_of(c, owner, server);
    if (s == nullptr || !s->open() || s->timer != timer) continue;
    if (host_of(owner).guest_paused()) {
      arm(c, *s, second);
    } else if (server) {
      server_timer(c, *s);
    } else {
      client_timer(c, *s);
    }
    return;
  }
}

void traffic::client_timer(connection& c, tcp_socket& s) {
  if (s.phase == socket_phase::opening) {
    if (s.tries == most_syns) {
      around_.faults.add(fault::failed_connect);
      hang_up(c, s, end_reason::idle_timeout);
      return;
    }
    around_.faults.add(fault::syn_retried);
    send_to_server(c, segment_kind::syn);
    arm(c, s, syn_timeout << s.tries++);
    return;
  }
  if (s.exchanges_left == 0) {  // all was said and answered
    send_to_server(c, segment_kind::fin);
    hang_up(c, s, end_reason::end_of_flow);
    return;
  }
  if (s.tries == most_requests) {
    around_.faults.add(fault::half_open);
    hang_up(c, s, end_reason::forced_end);
    return;
  }
  send_to_server(c, segment_kind::request);
  arm(c, s, request_timeout << s.tries++);
}

void traffic::server_timer(connection& c, tcp_socket& s) {
  if (s.phase == socket_phase::opening) {
    s.phase = socket_phase::closed;  // the handshake never ended: no kernel reports that
    return;
  }
  if (s.tries == most_probes) {
    around_.faults.add(fault::half_open);
    hang_up(c, s, end_reason::idle_timeout);
    return;
  }
  ++s.tries;
  send_to_client(c, s, segment_kind::probe);
  arm(c, s, probe_timeout);
}

tcp_socket* traffic::socket_of(connection& c, instance_id owner, bool server) {
  if (!server) return c.client.owner == owner ? &c.client : nullptr;
  for (auto& s : c.servers)
    if (s.owner == owner) return &s;
  return nullptr;
}

void traffic::close_all(instance_id who, bool say_so) {
  if (by_instance_.size() <= who) return;
  for (const auto n : std::exchange(by_instance_[who], {})) {
    const auto known = open_.find(n);
    if (known == open_.end()) continue;
    for (const bool server : {false, true}) {
      const auto again = open_.find(n);
      if (again == open_.end()) break;
      auto& c = again->second;
      auto* s = socket_of(c, who, server);
      if (s == nullptr || !s->open()) continue;
      if (say_so && s->phase == socket_phase::established) {
        if (server)
          send_to_client(c, *s, segment_kind::fin);
        else
          send_to_server(c, segment_kind::fin);
      }
      hang_up(c, *s, end_reason::forced_end);
    }
  }
}

void traffic::closing(instance_id who) {
  close_all(who, true);
}

void traffic::killed(instance_id who) {
  close_all(who, false);
}

void traffic::hang_up(connection& c, tcp_socket& s, end_reason why) {
  const bool server = &s != &c.client;
  if (!server || s.phase == socket_phase::established) record(c, s, why);
  s.phase = socket_phase::closed;
  const bool over = !c.client.open() && !c.servers[0].open() && !c.servers[1].open();
  if (over) open_.erase(c.number);
}

void traffic::record(const connection& c, const tcp_socket& s, end_reason why) {
  const bool server = &s != &c.client;
  const auto& me = around_.truth.of(s.owner);
  socket_record r;
  r.near = s.owner;
  r.far = s.phase == socket_phase::established ? s.peer : no_instance;
  r.far_address = server ? c.client_address : c.server_address;
  r.far_port = server ? c.client_port : c.server_port;
  r.reporter = server ? reporter::destination : reporter::source;
  r.opened = s.opened;
  r.closed = around_.time.now();

  agent::observed_flow o;
  auto& f = o.flow;
  f.reporter = r.reporter;
  f.end = why;
  f.near_address = me.address;
  f.near_port = server ? c.server_port : c.client_port;
  if (!s.before_agent) f.near_tenancy = s.stamp;
  o.open_before_agent = s.before_agent;
  f.counters.segments_sent = s.segments_sent;
  f.counters.segments_received = s.segments_received;
  auto& clock = host_of(s.owner).clock();
  f.times.is_established = s.phase == socket_phase::established;
  if (f.times.is_established) {
    const nanos received = clock.at(s.last_received);
    f.times.established = clock.at(s.established);
    f.times.last_received = received - received % std::max<nanos>(options_.tick, 1);
    if (s.before_agent) f.times.last_received = std::max(f.times.last_received, f.times.established);
  } else {
    f.times.established = time_min;
    f.times.last_received = time_min;
  }
  f.times.error = options_.tick;
  if (s.before_agent) f.times.opened = time_min;
  hand_over(r, o);
}

/// What a kernel program can say of a socket that was there before it: that it is established by now.
void traffic::agent_started(host_id where) {
  for (auto& [_, c] : open_)
    for (auto* s : {&c.client, &c.servers[0], &c.servers[1]}) {
      if (!s->open() || around_.truth.of(s->owner).host != where) continue;
      s->before_agent = true;
      if (s->phase == socket_phase::established) s->established = around_.time.now();
      around_.faults.add(fault::open_before_agent);
    }
}

void traffic::hand_over(socket_record r, agent::observed_flow o) {
  auto& where = host_of(r.near);
  auto& f = o.flow;
  f.far_address = r.far_address;
  f.far_port = r.far_port;
  f.connection = records_.size() + 1;
  if (!o.open_before_agent) f.times.opened = where.clock().at(r.opened);
  f.times.closed = where.clock().at(r.closed);
  f.times.transit = rules_.transit_is_zero ? 0 : options_.transit;
  o.netns_cookie = around_.truth.of(r.near).cookie;
  r.udp = f.transport == transport_protocol::udp;
  if (where.observed(o)) r.incarnation = where.incarnation();
  records_.push_back(r);
}

}  // namespace tenure::sim
