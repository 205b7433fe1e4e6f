#include "actors/exporter_links.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <utility>
#include <variant>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include "actors/exporter_batches.hpp"
#include "actors/redial_wait.hpp"
#include "agent/ping_wait.hpp"
#include "capnp/codec.hpp"
#include "capnp/compression.hpp"

namespace tenure::actors {

// A ping is answered from the transport's thread: a reading that waited behind a heartbeat would be as true,
// but its bracket as wide as that wait. What waits for the ping follows at once, so that both leave in one
// write.
struct link_end {
  std::mutex mutex;
  // Under mutex.
  transport::link_ptr link;  // none before the dial, and after its end: what waits is retained, and sent anew
  agent::ping_wait waiting;

  auto sender() {
    return [this](wire::frame f) {
      if (link) link->send(std::move(f));
    };
  }
  void answer(const wire::ping& p, const agent::boot_clock& clock) {
    const std::lock_guard lock{mutex};
    if (!link) return;
    const nanos now = clock.now();
    link->send(wire::encode(wire::pong{p.id, now}));
    waiting.pinged(now, p.next_ms * millisecond, sender());
  }
};

namespace {

using pointer = exporter_pointer;

constexpr auto first_redial = std::chrono::milliseconds{100};
constexpr auto longest_redial = std::chrono::milliseconds{5000};
// Between half of it and half as much again: agents look at different times.
constexpr auto weigh_interval = std::chrono::milliseconds{30'000};

void dial_node(pointer self, exporter_state::node_link& to, const std::string& node) {
  auto& s = self->state;
  const std::uint64_t number = to.number = ++s.link_number;
  to.address = node;
  to.agents = std::make_shared<std::atomic<std::uint32_t>>(0);
  const auto me = caf::actor_cast<exporter_actor>(self);
  auto end = to.end = std::make_shared<link_end>();
  auto clock = s.world.clock;
  transport::link_events events;
  events.received = [me, number, clock, end, agents = to.agents, known = s.clocks](transport::frame f) {
    if (const auto message = wire::decode(f, 0); message && std::holds_alternative<wire::ping>(*message)) {
      const auto& ping = std::get<wire::ping>(*message);
      *agents = ping.agents;
      end->answer(ping, *clock);
      known->learn(ping.known, clock->now());
      return;
    }
    auto received = std::make_shared<received_frame>();
    received->bytes = std::move(f);
    received->at = clock->now();
    caf::anon_send(me, frame_atom_v, number, received_frame_ptr{std::move(received)});
  };
  events.closed = [me, number, end](transport::close_reason why) {
    {
      const std::lock_guard lock{end->mutex};
      end->link.reset();
    }
    caf::anon_send(me, gone_atom_v, number, static_cast<std::uint8_t>(why));
  };
  auto link = s.world.transport->dial(node, std::move(events));
  {
    const std::lock_guard lock{end->mutex};
    end->link = link;
  }
  to.link = std::move(link);
  to.link->send(wire::encode(wire::hello{wire::protocol_version, s.settings.incarnation, s.settings.name,
                                         true, &to == &s.spare, static_cast<bool>(s.world.take_settings),
                                         s.clocks->tell(), true, true}));
}

/// Asks what the names stand for; `found` goes on.
void resolve(pointer self) {
  auto& s = self->state;
  if (std::exchange(s.resolving, true)) return;
  struct gathered {
    std::mutex mutex;
    std::vector<std::string> all;
    std::size_t left = 0;
  };
  auto g = std::make_shared<gathered>();
  g->left = s.choice->names().size();
  const auto me = caf::actor_cast<exporter_actor>(self);
  for (const auto& name : s.choice->names())
    s.world.transport->resolve(name, [g, me](const std::vector<std::string>& addresses) {
      const std::lock_guard lock{g->mutex};
      g->all.insert(g->all.end(), addresses.begin(), addresses.end());
      if (--g->left == 0)
        caf::anon_send(me, found_atom_v, std::make_shared<const std::vector<std::string>>(std::move(g->all)));
    });
}

/// From now on batches go over the main link: all that is retained, and everything told anew, since the node
/// may have no timelines.
void begin_sending(pointer self) {
  auto& s = self->state;
  s.packs = s.main.packed;
  s.sent_batch = 0;
  s.sent_bytes = 0;
  send_batches(self);
  tell_all(self);
}

void dial_spare_later(pointer self) {
  auto& s = self->state;
  self->delayed_send(self, redial_wait(longest_redial, 8 * longest_redial, s.failed_spares++, s.jitter),
                     dial_atom_v);
}

void redial_later(pointer self) {
  auto& s = self->state;
  self->delayed_send(self, redial_wait(first_redial, longest_redial, s.failed_dials++, s.jitter),
                     dial_atom_v);
}

void main_gone(pointer self, transport::close_reason why) {
  auto& s = self->state;
  ++(s.main.welcomed() ? s.counters->disconnects : s.counters->dials_failed);
  // At the end of a process the transport closes first: that is no trouble.
  const auto level = why == transport::close_reason::closed_here ? spdlog::level::debug : spdlog::level::warn;
  if (s.main.welcomed() || s.failed_dials == 0)
    spdlog::log(level, "agent: no link to {}: {}; {} batches are retained", s.main.link->peer(),
                transport::to_string(why), s.retained->batches());
  if (std::exchange(s.owed, 0) != 0) {
    // Over the other link went what is not acknowledged already: it has to come over a new one.
    s.spare.link->close();
    s.spare = {};
  }
  s.main = std::exchange(s.spare, {});
  if (!s.main.welcomed()) return redial_later(self);
  ++s.counters->connects;
  ++s.counters->takeovers;
  spdlog::info("agent: node {} at {} takes over", s.main.node, s.main.link->peer());
  begin_sending(self);
  dial_spare_later(self);
}

/// From now on the spare link's node is ours. What went to the other one is acknowledged from there.
void move(pointer self) {
  auto& s = self->state;
  send_waiting(s);
  std::swap(s.main, s.spare);
  s.packs = s.main.packed;
  s.owed = s.sent_batch;
  s.sent_bytes = 0;
  s.seasoned = 0;
  ++s.counters->moves;
  spdlog::info("agent: goes over to node {} at {}, which has fewer agents", s.main.node, s.main.link->peer());
  send_batches(self);
  tell_all(self);
  let_old_node_go(self);
}

}  // namespace

namespace {

/// What was packed for another node is unpacked for one that does not read it. @param frame what is to be
/// sent in place of it @returns false, and it is dropped, when it cannot be
bool fit_for_node(exporter_state& s, const wire::frame*& frame, wire::frame& plain) {
  if (s.main.packed || !wire::is_packed(*frame)) return true;
  auto unpacked = wire::unpacked(*frame, s.settings.incarnation);
  if (!unpacked) {
    spdlog::error("agent: batch {} is dropped: {}", s.sent_batch, unpacked.error().text);
    s.retained->give_up(s.sent_batch);
    refresh_gauges(s);
    return false;
  }
  plain = std::move(*unpacked);
  frame = &plain;
  return true;
}

/// Batches wait no longer than they may.
void look_later(pointer self) {
  auto& s = self->state;
  if (!s.main.end) return;
  const std::lock_guard lock{s.main.end->mutex};
  const auto until = s.main.end->waiting.until();
  if (!until || !s.next_look_at_waiting.wish(*until)) return;
  // By no clock too early: there may be no other timer.
  self->delayed_send(
      self, std::chrono::nanoseconds{std::max<nanos>(*until - s.world.clock->now(), 0) + millisecond},
      ask_atom_v);
}

}  // namespace

void send_batches(exporter_pointer self, std::uint64_t may_wait) {
  auto& s = self->state;
  while (s.main.welcomed() && s.sent_bytes < s.main.credit) {
    const auto* frame = s.retained->next(s.sent_batch);
    if (frame == nullptr) break;
    wire::frame plain;
    if (!fit_for_node(s, frame, plain)) continue;
    const std::size_t bytes = frame->size() * sizeof(frame->front());
    s.sent_bytes += bytes;
    auto small = s.settings.compress && s.main.compressed ? wire::compress(*frame) : std::nullopt;
    if (small) s.counters->bytes_saved += bytes - small->size() * sizeof(small->front());
    auto& end = *s.main.end;
    const std::lock_guard lock{end.mutex};
    // What uses up the credit does not wait: the node gives more for what has come.
    const bool has_time = s.sent_batch == may_wait && s.sent_bytes < s.main.credit;
    end.waiting.put(small ? std::move(*small) : *frame, has_time, s.world.clock->now(), end.sender());
  }
  look_later(self);
}

void look_at_waiting(exporter_pointer self) {
  auto& s = self->state;
  const nanos now = s.world.clock->now();
  if (!s.next_look_at_waiting.came(now) || !s.main.end) return;
  {
    const std::lock_guard lock{s.main.end->mutex};
    s.main.end->waiting.look(now, s.main.end->sender());
  }
  look_later(self);
}

void send_waiting(exporter_state& s) {
  if (!s.main.end) return;
  const std::lock_guard lock{s.main.end->mutex};
  s.main.end->waiting.leave(s.main.end->sender());
}

void dial(exporter_pointer self) {
  auto& s = self->state;
  if (s.settings.nodes.empty()) return;
  if (!s.main.link || (s.settings.spare && s.main.welcomed() && !s.spare.link)) resolve(self);
}

void found(exporter_pointer self, const std::vector<std::string>& addresses) {
  auto& s = self->state;
  s.resolving = false;
  if (auto fresh = s.choice->resolved(addresses); !fresh.empty()) s.new_node = std::move(fresh);
  if (!s.main.link) return dial_node(self, s.main, s.choice->next(s.spare.address));
  if (!s.settings.spare || !s.main.welcomed()) return;
  if (!s.spare.link) {
    auto to = std::exchange(s.new_node, {});
    if (to.empty() || to == s.main.address) to = s.choice->next(s.main.address);
    if (to != s.main.address) dial_node(self, s.spare, to);
  } else if (!s.new_node.empty() && s.owed == 0 && s.spare.welcomed()) {
    s.spare.link->close();
  }
}

void welcomed(exporter_pointer self, exporter_state::node_link& at, const wire::welcome& w) {
  auto& s = self->state;
  if (at.welcomed()) return;
  at.node = w.node.empty() ? "node" : w.node;
  at.compressed = w.compressed;
  at.packed = w.packed >= wire::packed_form;
  at.credit = w.credit ? 0 : UINT64_MAX;  // a node that knows no credit takes all
  if (&at == &s.spare) {
    if (at.node == s.main.node) {
      // A name that several addresses share led to the same node: of no use.
      at.link->close();
      return;
    }
    s.failed_spares = 0;
    spdlog::debug("agent: node {} at {} could take over", at.node, at.link->peer());
    return;
  }
  s.failed_dials = 0;
  ++s.counters->connects;
  spdlog::info("agent: connected to node {} at {}", at.node, at.link->peer());
  begin_sending(self);
  dial(self);
}

void gone(exporter_pointer self, std::uint64_t number, transport::close_reason why) {
  auto& s = self->state;
  if (s.main.link && number == s.main.number) {
    main_gone(self, why);
  } else if (s.spare.link && number == s.spare.number) {
    s.spare = {};
    // What was sent there and is not acknowledged is sent again, which takes a new link.
    if (std::exchange(s.owed, 0) != 0) s.main.link->close();
    dial_spare_later(self);
  }
}

void weigh_later(exporter_pointer self) {
  auto& s = self->state;
  std::uniform_int_distribution<std::int64_t> spread{weigh_interval.count() / 2,
                                                     weigh_interval.count() * 3 / 2};
  self->delayed_send(self, std::chrono::milliseconds{spread(s.jitter)}, weigh_atom_v);
}

void weigh(exporter_pointer self) {
  auto& s = self->state;
  weigh_later(self);
  if (!s.settings.spare || !s.main.welcomed() || s.owed != 0) return;
  if (!s.spare.welcomed()) return dial(self);
  // Its node knows our clock by now.
  if (std::exchange(s.seasoned, s.spare.number) == s.spare.number) {
    const std::uint32_t here = *s.main.agents;
    const std::uint32_t there = *s.spare.agents;
    if (here > 0 && there > 0 && s.choice->should_move(here - 1, there - 1)) return move(self);
    if (s.choice->should_look_elsewhere()) return s.spare.link->close();
  }
  resolve(self);
}

void let_old_node_go(exporter_pointer self) {
  auto& s = self->state;
  if (s.owed == 0) return;
  std::uint64_t first = 0;
  if (s.retained->next(first) != nullptr && first <= s.owed) return;
  s.owed = 0;
  if (s.spare.link) s.spare.link->close();
}

}  // namespace tenure::actors
