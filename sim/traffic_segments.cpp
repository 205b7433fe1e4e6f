#include <algorithm>

#include "sim/traffic.hpp"

// The connections' segments: sent, delayed, lost, and answered by whoever holds the address when they come.
namespace tenure::sim {

void traffic::transmit(segment s) {
  if (draw_.chance(options_.loss)) {
    around_.faults.add(fault::segment_lost);
    return;
  }
  nanos delay = draw_.chance(options_.slow_share) ? draw_.between(0, options_.transit)
                                                  : draw_.between(options_.delay_min, options_.delay_max);
  // Never longer than what agents declare, whatever the grid.
  delay = delay / around_.time.grid() * around_.time.grid();
  around_.time.after(delay, [this, s] { arrive(s); });
}

void traffic::send_to_server(connection& c, segment_kind kind) {
  ++c.client.segments_sent;
  transmit({kind, c.number, true, c.client.owner, c.client_address, c.server_address, c.server_port,
            c.client.peer});
}

void traffic::send_to_client(connection& c, tcp_socket& from, segment_kind kind) {
  ++from.segments_sent;
  transmit(
      {kind, c.number, false, from.owner, c.server_address, c.client_address, c.client_port, from.owner});
}

void traffic::arrive(const segment& s) {
  auto me = around_.truth.holder(s.to_address, around_.time.now());
  const auto known = open_.find(s.connection);
  auto* c = known == open_.end() ? nullptr : &known->second;
  if (c != nullptr && c->masqueraded && !s.to_server) me = c->client.owner;
  if (me == no_instance) return;
  if (host_of(me).guest_paused()) {
    arrive_at_paused(me, s);
    return;
  }
  if (s.kind == segment_kind::syn) {
    if (c != nullptr) on_syn(*c, me, s);
    return;
  }
  if (c == nullptr) return;  // both ends are closed: nobody waits for an answer
  auto* socket = socket_of(*c, me, s.to_server);
  const bool fits =
      socket != nullptr && socket->open() &&
      (s.to_server ? s.server == me || s.kind == segment_kind::reset || s.kind == segment_kind::challenge
                   : true);
  if (!fits) {
    stranger(me, s);
  } else if (s.to_server) {
    at_server(*c, *socket, s);
  } else {
    at_client(*c, *socket, s);
  }
}

/// A guest's card may keep what comes in a pause. It is accepted afterwards by the same instance or by
/// nobody.
void traffic::arrive_at_paused(instance_id me, const segment& s) {
  if (options_.kept_share <= 0 || !draw_.chance(options_.kept_share)) return;
  const auto arrival = [this, me, s] {
    if (around_.truth.holder(s.to_address, around_.time.now()) == me) arrive(s);
  };
  const nanos late = rules_.card_delay;
  const bool kept = host_of(me).keep([this, arrival, late] {
    if (late > 0)
      around_.time.after(late, arrival);
    else
      arrival();
  });
  around_.faults.add(kept ? fault::segment_kept : fault::segment_lost);
}

void traffic::on_syn(connection& c, instance_id me, const segment& in) {
  auto* mine = socket_of(c, me, true);
  if (mine == nullptr && tenants_.usable(me)) {
    for (auto& s : c.servers) {
      if (s.phase != socket_phase::absent) continue;
      if (&s != &c.servers[0]) around_.faults.add(fault::syn_across_handover);
      s.phase = socket_phase::opening;
      s.owner = me;
      s.peer = in.from;
      s.opened = around_.time.now();
      s.stamp = host_of(me).stamp(around_.truth.of(me), c.server_port);
      if (by_instance_.size() <= me) by_instance_.resize(me + 1);
      by_instance_[me].push_back(c.number);
      mine = &s;
      arm(c, s, options_.server_patience);
      break;
    }
  }
  if (mine == nullptr) {  // nobody listens here
    transmit({segment_kind::reset, c.number, false, me, in.to_address, in.from_address, c.client_port, me});
  } else if (mine->phase == socket_phase::opening) {
    send_to_client(c, *mine, segment_kind::syn_ack);
  }
}

/// A segment of a connection that this instance does not have.
void traffic::stranger(instance_id me, const segment& in) {
  if (in.kind == segment_kind::reset || in.kind == segment_kind::challenge) return;
  around_.faults.add(fault::segment_stranger);
  const bool challenge = draw_.chance(options_.challenge_share);
  around_.faults.add(challenge ? fault::challenge_by_next : fault::reset_by_next);
  transmit({challenge ? segment_kind::challenge : segment_kind::reset, in.connection, !in.to_server, me,
            in.to_address, in.from_address, 0, me});
}

void traffic::accept(tcp_socket& s) {
  s.last_received = around_.time.now();
  s.tries = 0;
  ++s.segments_received;
}

void traffic::at_server(connection& c, tcp_socket& s, const segment& in) {
  if (in.kind == segment_kind::reset || in.kind == segment_kind::challenge) {
    if (s.phase != socket_phase::established) return;
    const bool reset = in.kind == segment_kind::reset;
    if (reset ? rules_.reset_counts_as_received : rules_.challenge_counts_as_received) accept(s);
    if (reset) hang_up(c, s, end_reason::forced_end);
    return;
  }
  if (s.phase == socket_phase::opening) {
    s.phase = socket_phase::established;
    s.established = around_.time.now();
  }
  accept(s);
  if (in.kind == segment_kind::request) send_to_client(c, s, segment_kind::reply);
  if (in.kind == segment_kind::fin) {
    send_to_client(c, s, segment_kind::fin);
    hang_up(c, s, end_reason::end_of_flow);
    return;
  }
  arm(c, s, options_.server_patience);
}

void traffic::at_client(connection& c, tcp_socket& s, const segment& in) {
  if (in.kind == segment_kind::reset || in.kind == segment_kind::challenge) {
    const bool reset = in.kind == segment_kind::reset;
    const bool established = s.phase == socket_phase::established;
    if (established && (reset ? rules_.reset_counts_as_received : rules_.challenge_counts_as_received))
      accept(s);
    if (reset && !established) around_.faults.add(fault::failed_connect);
    if (reset) hang_up(c, s, end_reason::forced_end);
    return;
  }
  if (s.phase == socket_phase::opening) {
    if (in.kind != segment_kind::syn_ack) return;
    s.phase = socket_phase::established;
    s.established = around_.time.now();
    s.peer = in.from;
    accept(s);
    send_to_server(c, segment_kind::ack);
    arm(c, s, wait(options_.exchange_gap));
    return;
  }
  if (in.from != s.peer) {  // another sequence number than that of the handshake
    transmit({segment_kind::challenge, c.number, true, s.owner, c.client_address, c.server_address,
              c.server_port, in.from});
    return;
  }
  const bool answered = in.kind == segment_kind::reply && s.tries > 0;
  accept(s);
  if (in.kind == segment_kind::probe) send_to_server(c, segment_kind::probe_ack);
  if (in.kind == segment_kind::fin) {
    hang_up(c, s, end_reason::end_of_flow);
    return;
  }
  if (!answered) return;
  --s.exchanges_left;
  arm(c, s, wait(options_.exchange_gap));
}

}  // namespace tenure::sim
