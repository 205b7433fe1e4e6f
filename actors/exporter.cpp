#include "actors/exporter.hpp"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>
#include <variant>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "agent/ipman_answer.hpp"
#include "capnp/codec.hpp"

namespace tenure::actors {
namespace {

using pointer = exporter_actor::stateful_pointer<exporter_state>;

constexpr auto first_redial = std::chrono::milliseconds{100};
constexpr auto look_pause = std::chrono::milliseconds{1000};
constexpr auto longest_redial = std::chrono::milliseconds{5000};

void refresh_gauges(exporter_state& s) {
  auto& c = *s.counters;
  c.batches_retained = s.retained->batches();
  c.flows_retained = s.retained->flows();
  c.bytes_retained = s.retained->bytes();
  c.bytes_spooled = s.retained->spooled_bytes();
  c.spool_failures = s.retained->spool_failures();
  c.batches_dropped = s.retained->batches_dropped();
  c.flows_dropped = s.retained->flows_dropped();
}

/// Sends what is retained and was not sent over this link, as far as credit goes.
void send_batches(exporter_state& s) {
  while (s.main.welcomed() && s.sent_bytes < s.main.credit) {
    const auto* frame = s.retained->next(s.sent_batch);
    if (frame == nullptr) return;
    s.sent_bytes += frame->size() * sizeof(frame->front());
    s.main.link->send(*frame);
  }
}

/// Seals what has gathered; retains it, and sends it when a node listens.
/// @returns the batch's number, 0 when nothing has gathered.
std::uint64_t seal(pointer self) {
  auto& s = self->state;
  if (s.gathering->empty()) return 0;
  const wire::batch sealed = s.gathering->seal();
  wire::frame frame = wire::encode(wire::message{sealed});
  s.retained->keep(sealed.number, std::move(frame), sealed.flows.size());
  send_batches(s);
  ++s.counters->batches_sealed;
  refresh_gauges(s);
  return sealed.number;
}

std::chrono::nanoseconds heartbeat_of(const exporter_state& s) {
  return std::chrono::nanoseconds{s.world.pace ? s.world.pace->heartbeat.load() : s.settings.heartbeat};
}

/// Makes sure that what has gathered leaves after the linger at the latest.
void seal_soon(pointer self) {
  auto& s = self->state;
  if (s.gathering->full()) seal(self);
  if (s.gathering->empty() || s.seal_timer_set) return;
  s.seal_timer_set = true;
  const nanos linger = s.world.pace ? s.world.pace->linger.load() : s.settings.linger;
  self->delayed_send(self, std::chrono::nanoseconds{linger}, seal_atom_v);
}

void report(pointer self, const std::vector<agent::tenancy_report>& reports) {
  for (const auto& r : reports) {
    self->state.gathering->add(r);
    if (self->state.gathering->full()) seal(self);
  }
  seal_soon(self);
}

/// What the agent saw itself of an endpoint says only whose its sockets should be: the socket's own cgroup
/// must not say otherwise, and of a namespace it must say the same.
bool contradicts(const agent::tenancy_report& near, const wire::workload* named) {
  if (!near.observed) return false;
  return named == nullptr ? near.endpoint.whole() : named->name != near.workload.name;
}

void observe(pointer self, const std::vector<agent::observed_flow>& flows) {
  auto& s = self->state;
  for (const auto& f : flows) {
    const auto* near = s.tracker->near_end(f);
    const wire::workload* named = nullptr;
    if (s.world.cgroups && (near == nullptr || near->observed)) {
      named = s.world.cgroups->name_of(f.cgroup);
      if (near != nullptr && contradicts(*near, named)) near = nullptr;
    }
    if (near == nullptr)
      ++(named == nullptr ? s.counters->flows_near_unproved : s.counters->flows_near_by_cgroup);
    s.gathering->add(f, near, named);
    if (s.gathering->full()) seal(self);
  }
  s.counters->flows_observed += flows.size();
  seal_soon(self);
}

void heartbeat(pointer self) {
  auto& s = self->state;
  report(self, s.tracker->heartbeat());
  s.counters->tenancies_live = s.tracker->list().size();
  s.counters->tenancies_refused = s.tracker->refused();
}

/// Looks are bounded in number: what happens within a second is one reason to look, at its end.
void look_soon(pointer self, bool now) {
  auto& s = self->state;
  if (now) {
    s.look_timer_set = false;
    s.tracker->look();
    report(self, s.tracker->changes());
  } else if (!s.look_timer_set) {
    s.look_timer_set = true;
    self->delayed_send(self, look_pause, look_atom_v, true);
  }
}

std::string answer(pointer self, const agent::ipman_request& request) {
  auto& s = self->state;
  ++s.counters->ipman_requests;
  auto reply = agent::answer_ipman(*s.tracker, request);
  if (request.verb != agent::ipman_request::action::list) report(self, s.tracker->changes());
  return reply;
}

void finish_draining(pointer self) {
  auto& s = self->state;
  if (s.retained->batches() > 0) return;
  for (auto& promise : s.draining) promise.deliver(true);
  s.draining.clear();
}

/// Everything that an earlier agent left is delivered.
void finish_inheritance(pointer self) {
  auto& s = self->state;
  if (!s.world.spool.inherited || s.retained->batches() > 0) return;
  spdlog::info("agent: all that incarnation {:016x} left behind is delivered", s.settings.incarnation);
  if (s.main.link) s.main.link->close();
  if (s.spare.link) s.spare.link->close();
  self->quit();
}

/// A batch without flows is acknowledged once its evidence is with the shards, and batches are placed in
/// order: its acknowledgement says that the node knows everything up to it.
caf::typed_response_promise<bool> tell(pointer self) {
  auto promise = self->make_response_promise<bool>();
  seal(self);
  heartbeat(self);
  if (const auto batch = seal(self); batch != 0)
    self->state.tellings.push_back({batch, promise});
  else
    promise.deliver(true);
  return promise;
}

void finish_telling(pointer self, std::uint64_t acknowledged) {
  auto& all = self->state.tellings;
  for (auto& t : all)
    if (t.batch == acknowledged) t.promise.deliver(true);
  std::erase_if(all, [&](const auto& t) { return t.batch == acknowledged; });
}

void dial(pointer self, exporter_state::node_link& to) {
  auto& s = self->state;
  const std::uint64_t number = to.number = ++s.link_number;
  const auto& node = s.settings.nodes[s.next_node++ % s.settings.nodes.size()];
  const auto me = caf::actor_cast<exporter_actor>(self);
  // A ping is answered from the transport's thread: a reading that waited behind a heartbeat would be as
  // true, but its bracket as wide as that wait.
  struct ping_answerer {
    transport::link_ptr link;
    std::mutex mutex;
  };
  auto answerer = std::make_shared<ping_answerer>();
  auto clock = s.world.clock;
  transport::link_events events;
  events.received = [me, number, clock, answerer](transport::frame f) {
    if (const auto message = wire::decode(f, 0); message && std::holds_alternative<wire::ping>(*message)) {
      const std::lock_guard lock{answerer->mutex};
      const auto id = std::get<wire::ping>(*message).id;
      if (answerer->link) answerer->link->send(wire::encode(wire::pong{id, clock->now()}));
      return;
    }
    auto received = std::make_shared<received_frame>();
    received->bytes = std::move(f);
    received->at = clock->now();
    caf::anon_send(me, frame_atom_v, number, received_frame_ptr{std::move(received)});
  };
  events.closed = [me, number, answerer](transport::close_reason why) {
    {
      const std::lock_guard lock{answerer->mutex};
      answerer->link.reset();
    }
    caf::anon_send(me, gone_atom_v, number, static_cast<std::uint8_t>(why));
  };
  auto link = s.world.transport->dial(node, std::move(events));
  {
    const std::lock_guard lock{answerer->mutex};
    answerer->link = link;
  }
  to.link = std::move(link);
  to.link->send(wire::encode(
      wire::hello{wire::protocol_version, s.settings.incarnation, s.settings.name, true, &to == &s.spare}));
}

/// Dials what is missing: first the link that batches go over.
void dial(pointer self) {
  auto& s = self->state;
  if (s.settings.nodes.empty()) return;
  if (!s.main.link) return dial(self, s.main);
  if (s.settings.spare && s.main.welcomed() && !s.spare.link) dial(self, s.spare);
}

/// From now on batches go over the main link: all that is retained, and everything told anew, since the node
/// may have no timelines.
void begin_sending(pointer self) {
  auto& s = self->state;
  s.sent_batch = 0;
  s.sent_bytes = 0;
  send_batches(s);
  heartbeat(self);
}

void dial_spare_later(pointer self) {
  auto& s = self->state;
  const auto wait = longest_redial * (1U << std::min(s.failed_spares++, 3U));
  std::uniform_int_distribution<std::int64_t> spread{wait.count() / 2, wait.count()};
  self->delayed_send(self, std::chrono::milliseconds{spread(s.jitter)}, dial_atom_v);
}

void welcomed(pointer self, exporter_state::node_link& at, const wire::welcome& w) {
  auto& s = self->state;
  if (at.welcomed()) return;
  at.node = w.node.empty() ? "node" : w.node;
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

void receive(pointer self, exporter_state::node_link& at, const received_frame& f) {
  auto& s = self->state;
  const auto message = wire::decode(f.bytes, s.settings.incarnation);
  if (!message) {
    ++s.counters->frames_refused;
    spdlog::warn("agent: node {} sent what is not a message: {}", at.link->peer(), message.error().text);
    at.link->close();
    return;
  }
  if (const auto* w = std::get_if<wire::welcome>(&*message)) {
    welcomed(self, at, *w);
  } else if (const auto* a = std::get_if<wire::acknowledgement>(&*message)) {
    const auto flows_before = s.retained->flows();
    if (!s.retained->acknowledge(a->batch)) return;
    ++s.counters->batches_acknowledged;
    s.counters->flows_acknowledged += flows_before - s.retained->flows();
    refresh_gauges(s);
    finish_telling(self, a->batch);
    finish_draining(self);
    finish_inheritance(self);
  } else if (const auto* c = std::get_if<wire::credit>(&*message)) {
    at.credit = std::max(at.credit, c->bytes);
    send_batches(s);
  } else if (const auto* g = std::get_if<wire::goodbye>(&*message)) {
    spdlog::warn("agent: node {} said goodbye: {}", at.link->peer(), g->reason);
  } else {
    ++s.counters->frames_refused;
    at.link->close();
  }
}

void redial_later(pointer self) {
  auto& s = self->state;
  const auto doubled = first_redial * (1U << std::min(s.failed_dials, 10U));
  const auto wait = std::min<std::chrono::milliseconds>(doubled, longest_redial);
  ++s.failed_dials;
  // Between half and all of it, so that agents that lost one node do not come back together.
  std::uniform_int_distribution<std::int64_t> spread{wait.count() / 2, wait.count()};
  self->delayed_send(self, std::chrono::milliseconds{spread(s.jitter)}, dial_atom_v);
}

void main_gone(pointer self, transport::close_reason why) {
  auto& s = self->state;
  ++(s.main.welcomed() ? s.counters->disconnects : s.counters->dials_failed);
  // At the end of a process the transport closes first: that is no trouble.
  const auto level = why == transport::close_reason::closed_here ? spdlog::level::debug : spdlog::level::warn;
  if (s.main.welcomed() || s.failed_dials == 0)
    spdlog::log(level, "agent: no link to {}: {}; {} batches are retained", s.main.link->peer(),
                transport::to_string(why), s.retained->batches());
  s.main = std::exchange(s.spare, {});
  if (!s.main.welcomed()) return redial_later(self);
  ++s.counters->connects;
  ++s.counters->takeovers;
  spdlog::info("agent: node {} at {} takes over", s.main.node, s.main.link->peer());
  begin_sending(self);
  dial_spare_later(self);
}

void gone(pointer self, std::uint64_t number, transport::close_reason why) {
  auto& s = self->state;
  if (s.main.link && number == s.main.number) {
    main_gone(self, why);
  } else if (s.spare.link && number == s.spare.number) {
    s.spare = {};
    dial_spare_later(self);
  }
}

}  // namespace

exporter_actor::behavior_type exporter(pointer self, exporter_settings settings, exporter_world world,
                                       std::shared_ptr<agent_counters> counters) {
  auto& s = self->state;
  s.jitter.seed(static_cast<std::minstd_rand::result_type>(settings.incarnation));
  s.tracker = std::make_unique<agent::tenancy_tracker>(settings.incarnation, *world.clock, *world.identities,
                                                       *world.addresses, settings.repeat, world.usages.get());
  s.gathering = std::make_unique<agent::batcher>(settings.incarnation);
  s.retained = std::make_unique<agent::retention>(settings.max_retained_bytes, world.spool.batches,
                                                  world.spool.max_bytes);
  // Agents of one list spread over it.
  if (!settings.nodes.empty()) s.next_node = s.jitter() % settings.nodes.size();
  s.settings = std::move(settings);
  s.world = std::move(world);
  s.counters = std::move(counters);
  self->send(self, dial_atom_v);
  self->delayed_send(self, heartbeat_of(s), heartbeat_atom_v);
  return {
      [self](observed_atom, const observed_lot_ptr& flows) { observe(self, *flows); },
      [self](ipman_atom, const ipman_request_ptr& request) { return answer(self, *request); },
      [self](withdrawn_atom, std::uint64_t cookie, std::uint64_t high, std::uint64_t low) {
        self->state.tracker->lost(cookie, address::from_halves(high, low));
        report(self, self->state.tracker->changes());
      },
      [self](heartbeat_atom) {
        self->delayed_send(self, heartbeat_of(self->state), heartbeat_atom_v);
        heartbeat(self);
      },
      [self](look_atom, bool now) { look_soon(self, now); },
      [self](seal_atom) {
        self->state.seal_timer_set = false;
        seal(self);
      },
      [self](dial_atom) { dial(self); },
      [self](frame_atom, std::uint64_t link, const received_frame_ptr& f) {
        for (auto* at : {&self->state.main, &self->state.spare})
          if (at->link && link == at->number) return receive(self, *at, *f);
      },
      [self](gone_atom, std::uint64_t link, std::uint8_t why) {
        gone(self, link, static_cast<transport::close_reason>(why));
      },
      [self](told_atom) { return tell(self); },
      [self](drain_atom) {
        auto promise = self->make_response_promise<bool>();
        seal(self);
        self->state.draining.push_back(promise);
        finish_draining(self);
        return promise;
      },
  };
}

}  // namespace tenure::actors
