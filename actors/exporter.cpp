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

#include "actors/exporter_batches.hpp"
#include "actors/exporter_links.hpp"
#include "agent/ipman_answer.hpp"
#include "capnp/codec.hpp"

namespace tenure::actors {
namespace {

using pointer = exporter_pointer;

constexpr auto look_pause = std::chrono::milliseconds{1000};

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

/// Looked at for each flow: a lot may be what fills retention.
bool overloaded(const exporter_state& s) {
  return s.retained->fullness() >= s.settings.shed_at_percent ||
         s.counters->flows_waiting >= s.settings.shed_at_waiting;
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
    s.gathering->add(f, near, named, overloaded(s));
    if (s.gathering->full()) seal(self);
  }
  s.counters->flows_observed += flows.size();
  // A source that counts what it hands over has counted these; nobody else takes away.
  if (s.counters->flows_waiting >= flows.size()) s.counters->flows_waiting -= flows.size();
  seal_soon(self);
}

}  // namespace

void tell_all(exporter_pointer self) {
  auto& s = self->state;
  report(self, s.tracker->heartbeat());
  s.counters->tenancies_live = s.tracker->list().size();
  s.counters->tenancies_refused = s.tracker->refused();
}

namespace {

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
  tell_all(self);
  const auto batch = seal(self);
  send_waiting(self->state);
  if (batch != 0)
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

/// @returns whether anything of it was retained
bool forget(pointer self, const wire::acknowledgement& a) {
  auto& s = self->state;
  const auto flows_before = s.retained->flows();
  bool some = false;
  for (std::uint64_t n = 0; n < a.count(); ++n) {
    if (!s.retained->acknowledge(a.batch + n)) continue;
    some = true;
    ++s.counters->batches_acknowledged;
    finish_telling(self, a.batch + n);
  }
  s.counters->flows_acknowledged += flows_before - s.retained->flows();
  return some;
}

/// The spare's node has the same to say, but one speaks at a time.
void take_settings(exporter_state& s, const exporter_state::node_link& at, const wire::settings& wanted) {
  if (&at != &s.main || !s.world.take_settings) return;
  if (const auto taken = s.world.take_settings(wanted.text); !taken) {
    ++s.counters->settings_refused;
    spdlog::warn("settings: of node {}: {}; the old ones stay", at.node, taken.error().text);
    return;
  }
  s.counters->settings_version = wanted.version;
  spdlog::info("settings: version {} of node {}", wanted.version, at.node);
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
    if (!forget(self, *a)) return;
    refresh_gauges(s);
    finish_draining(self);
    finish_inheritance(self);
    let_old_node_go(self);
  } else if (const auto* c = std::get_if<wire::credit>(&*message)) {
    at.credit = std::max(at.credit, c->bytes);
    send_batches(self);
  } else if (const auto* wanted = std::get_if<wire::settings>(&*message)) {
    take_settings(s, at, *wanted);
  } else if (const auto* g = std::get_if<wire::goodbye>(&*message)) {
    spdlog::log(g->leaving ? spdlog::level::info : spdlog::level::warn, "agent: node {} said goodbye: {}",
                at.link->peer(), g->reason);
  } else {
    ++s.counters->frames_refused;
    at.link->close();
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
  s.choice = std::make_unique<node_choice>(settings.nodes, s.jitter());
  s.settings = std::move(settings);
  s.world = std::move(world);
  s.counters = std::move(counters);
  self->send(self, dial_atom_v);
  if (s.settings.spare) weigh_later(self);
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
        tell_all(self);
      },
      [self](look_atom, bool now) { look_soon(self, now); },
      [self](seal_atom) {
        self->state.seal_timer_set = false;
        seal(self);
      },
      [self](ask_atom) { look_at_waiting(self); },
      [self](dial_atom) { dial(self); },
      [self](found_atom, const found_addresses_ptr& addresses) { found(self, *addresses); },
      [self](weigh_atom) { weigh(self); },
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
        send_waiting(self->state);
        self->state.draining.push_back(promise);
        finish_draining(self);
        return promise;
      },
  };
}

}  // namespace tenure::actors
