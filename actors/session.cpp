#include "actors/session.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/reception.hpp"
#include "actors/shard_key.hpp"

namespace tenure::actors {
namespace {

using pointer = session_actor::stateful_pointer<session_state>;

// The regular look at the agent comes so late after the last one; half as late where the session has
// something else to look at anyway.
constexpr nanos tick_interval = 5 * second;
// While the budget is short, an agent that may soon have to wait is looked at so often.
constexpr auto credit_interval = std::chrono::milliseconds{200};
// A flood is read a turn at a time, so far apart.
constexpr auto between_turns = std::chrono::milliseconds{1};
// An agent that comes back within this time is known again; later, its repeats count as new.
constexpr nanos remembered_for = 10 * minute;

/// What goes to one way: a shard and its delay actor, or behind those another node.
struct way {
  std::shared_ptr<evidence_lot> items;
  std::shared_ptr<std::vector<flow_lot>> flows;
};

/// Evidence goes to the shard of each local address, and to the other nodes that hold it.
/// @param room for so many pieces, to begin with, where any goes
void sort_evidence(const placed_batch& batch, std::size_t shards, std::size_t room, std::vector<way>& ways) {
  const auto put = [&](std::size_t to, const evidence& e) {
    auto& lot = ways[to].items;
    if (!lot) {
      lot = std::make_shared<evidence_lot>();
      lot->items.reserve(room);
    }
    lot->items.push_back(e);
  };
  for (const auto& e : batch.items) {
    const auto here = shard_of(e.endpoint.address, shards);
    if (!batch.where)
      put(here, e);
    else
      batch.where->each_holder(e.endpoint.address,
                               [&](auto node) { put(node == 0 ? here : shards + node - 1, e); });
  }
}

/// Flows go to the delay actor of each remote address, or to the node that judges them.
void sort_flows(const session_state& state, placed_batch& batch, std::vector<way>& ways) {
  for (std::size_t i = 0; i < batch.flows.size(); ++i) {
    if (batch.flows[i].empty()) continue;
    auto& lots = ways[i].flows;
    if (!lots) lots = std::make_shared<std::vector<flow_lot>>();
    lots->push_back({state.origin, std::move(batch.flows[i]), batch.number});
  }
}

/// A pong places many batches at once: what of them goes one way goes together.
void route(pointer self, std::vector<placed_batch>& placed) {
  const auto& routes = *self->state.routes;
  const auto& shards = routes.shards;
  std::vector<way> ways(shards.size());
  // Of many prefixes that is room for all at once; where all lie in one shard's, room grows once more.
  std::size_t pieces = 0;
  for (const auto& batch : placed) pieces += batch.items.size();
  const std::size_t room = pieces / shards.size() * 5 / 4 + 1;
  for (auto& batch : placed) {
    // Flows were sorted when they came, perhaps by an earlier ring.
    ways.resize(std::max(ways.size(), batch.flows.size()));
    if (batch.where) ways.resize(std::max(ways.size(), shards.size() + batch.where->end() - 1));
    sort_evidence(batch, shards.size(), room, ways);
    sort_flows(self->state, batch, ways);
  }
  // Evidence first: where both go to one shard, it is there before any flow's hold is over.
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (!ways[i].items) continue;
    ways[i].items->taken = self->state.protocol->room_for_evidence(ways[i].items->bytes());
    if (i < shards.size()) {
      self->state.counters->evidence_waiting += ways[i].items->items.size();
      self->send(shards[i], evidence_atom_v, evidence_lot_ptr{std::move(ways[i].items)});
    } else if (const auto node = routes.ways->peer(static_cast<std::uint32_t>(i - shards.size() + 1))) {
      self->send(node, evidence_atom_v, evidence_lot_ptr{std::move(ways[i].items)});
    }
  }
  for (std::size_t i = 0; i < ways.size(); ++i) {
    if (!ways[i].flows) continue;
    if (i < shards.size()) {
      self->send(routes.delays[i], hold_atom_v, flow_lots_ptr{std::move(ways[i].flows)});
    } else if (const auto node = routes.ways->peer(static_cast<std::uint32_t>(i - shards.size() + 1))) {
      for (auto& lot : *ways[i].flows)
        self->send(node, hold_atom_v, flow_lot_ptr{std::make_shared<const flow_lot>(std::move(lot))});
    }
  }
}

/// Keeps the number of agents whose batches come here.
void count_agent(session_state& state) {
  const bool sends = state.here && state.protocol->is_sent_batches();
  if (sends == state.counted) return;
  state.counted = sends;
  if (sends)
    ++state.counters->agents_here;
  else
    --state.counters->agents_here;
}

void end_connection(pointer self) {
  auto& state = self->state;
  state.here.reset();
  state.frames.clear();
  state.next_frame = 0;
  state.gone_at = state.clock->now();
  state.protocol->disconnected();
  count_agent(state);
  if (state.page) state.page->write(state.protocol->flows());
}

/// Reads what came in, as much as fits in a turn. @returns a failure at the first that breaks the protocol:
/// none after it is looked at
outcome<void> decode(session_state& state, session_reaction& all) {
  const auto measured = state.counters->stages.measure(stage::decode, *state.clock);
  const nanos now = state.clock->now();
  while (state.next_frame < state.frames.size() && all.bytes < max_turn_bytes) {
    auto f = std::move(state.frames[state.next_frame++]);
    const auto& [bytes, at] = *f;
    if (auto done = state.protocol->receive({std::move(f), &bytes}, at, now, all); !done) return done;
  }
  state.protocol->renew_credit(all);
  state.protocol->ask(now, all);
  return {};
}

/// The reminder's timer comes for whatever is first. @param ask_at for the protocol; absent: not at all
void remind(pointer self, std::optional<nanos> ask_at) {
  auto& state = self->state;
  const nanos at = std::min(ask_at.value_or(time_max), state.tick_at);
  if (state.looks.wish(at))
    caf::anon_send(state.reminder, ask_atom_v, at, caf::strong_actor_ptr{self->ctrl()});
}

void react(pointer self, session_reaction&& reaction) {
  auto& state = self->state;
  const auto measured = state.counters->stages.measure(stage::route, *state.clock);
  count_agent(state);
  if (!reaction.refused_claim.empty())
    spdlog::warn("session {}: agent {} ({}) {}; see --allow", state.here->link->peer(),
                 state.protocol->agent(), state.here->link->identity(), reaction.refused_claim);
  if (!reaction.placed.empty()) route(self, reaction.placed);
  remind(self, reaction.ask_at);
  if (state.page) state.page->write(state.protocol->flows());
  if (!state.here) return;
  if (state.protocol->wants_credit() && !std::exchange(state.credit_timer_set, true))
    self->delayed_send(self, credit_interval, credit_atom_v);
  // All are made before the first one goes: then they mostly leave in one write.
  for (const auto& m : reaction.send) state.frames_out.push_back(wire::encode(m));
  for (auto& f : state.frames_out) state.here->link->send(std::move(f));
  state.frames_out.clear();
}

/// Ends the session when nothing holds it here any more.
void end_if_forgotten(pointer self) {
  auto& state = self->state;
  if (state.here || state.arrivals == 0 || state.protocol->owes()) return;
  if (state.protocol->has_history() && state.clock->now() - state.gone_at < state.remembered) return;
  const auto door = state.door.lock();
  if (!door || door->leave(state.protocol->incarnation(), state.arrivals)) {
    if (state.page) state.book->close(state.page);
    self->quit();
  }
}

/// The agent is away. Who has sent nothing is not waited for.
void rest(pointer self) {
  auto& state = self->state;
  if (state.protocol->has_history())
    if (const auto door = state.door.lock()) door->rests(state.protocol->incarnation(), state.arrivals);
  end_if_forgotten(self);
}

/// The agent broke the protocol: it is told how, and its connection ends.
void refuse(pointer self, const failure& why) {
  const auto& link = self->state.here->link;
  spdlog::warn("session {}: closing: {}", link->peer(), why.text);
  link->send(wire::encode(wire::goodbye{wire::as_text(why.text)}));
  link->close();
  end_connection(self);
  rest(self);
}

void read(pointer self, const arrival_ptr& from) {
  auto& state = self->state;
  if (state.here != from) {
    std::vector<received_frame_ptr> late;
    return from->inbox.take(late);
  }
  if (state.next_frame == state.frames.size()) {
    from->inbox.take(state.frames);
    state.next_frame = 0;
  }
  session_reaction all;
  const auto done = decode(state, all);
  react(self, std::move(all));  // what came before the one that is refused is on its way already
  if (!done) return refuse(self, done.error());
  // The rest after others had their turn: a message to itself it would take up at once. Should more have come
  // meanwhile, each is told of once.
  if (state.next_frame < state.frames.size()) self->delayed_send(self, between_turns, frame_atom_v, from);
}

void arrive(pointer self, const arrival_ptr& who) {
  auto& state = self->state;
  ++state.arrivals;
  if (state.here) {
    // The agent knows better than we do that its earlier connection is dead.
    state.here->link->close();
    end_connection(self);
  }
  state.here = who;
  state.remembered = remembered_for;
  if (!state.origin || state.origin->agent != who->hello.agent)
    state.origin =
        std::make_shared<const flow_origin>(flow_origin{caf::weak_actor_ptr{self->ctrl()}, who->hello.agent});
  spdlog::info("session {}: agent {}", who->link->peer(), state.origin->agent);
  if (!state.page) state.page = state.book->open(who->hello.agent);
  react(self, state.protocol->connected(who->hello, state.clock->now(), who->link->identity()));
}

void gone(pointer self, transport::close_reason why, const arrival_ptr& who) {
  auto& state = self->state;
  if (state.here != who) return;  // it was closed from here
  spdlog::info("session {}: ended: {}", who->link->peer(), transport::to_string(why));
  end_connection(self);
  rest(self);
}

/// The regular look, when it is due or nearly so, and whatever the protocol wants to look at.
void look(pointer self) {
  auto& state = self->state;
  const nanos now = state.clock->now();
  if (!state.looks.came(now)) return;
  if (now < state.tick_at - tick_interval / 2) return react(self, state.protocol->ask(now));
  state.tick_at = now + tick_interval;
  auto reaction = state.protocol->tick(now);
  if (reaction) {
    state.protocol->ask(now, *reaction);
    react(self, std::move(*reaction));
  } else {
    remind(self, {});
    return refuse(self, reaction.error());
  }
  end_if_forgotten(self);
}

}  // namespace

session_actor::behavior_type session(pointer self, std::shared_ptr<const session_parts> parts,
                                     std::weak_ptr<reception> door) {
  auto& state = self->state;
  state.protocol = std::make_unique<session_protocol>(parts->settings, parts->workloads, parts->counters);
  state.routes = parts->routes;
  state.clock = parts->clock;
  state.counters = parts->counters;
  state.book = parts->book;
  state.reminder = parts->reminder;
  state.door = std::move(door);
  state.tick_at = state.clock->now() + tick_interval;
  remind(self, {});
  return {
      [self](arrival_atom, const arrival_ptr& who) { arrive(self, who); },
      [self](frame_atom, const arrival_ptr& from) { read(self, from); },
      [self](gone_atom, std::uint8_t why, const arrival_ptr& who) {
        gone(self, static_cast<transport::close_reason>(why), who);
      },
      [self](retire_atom) {
        if (!self->state.here) self->state.remembered = 0;
        end_if_forgotten(self);
      },
      [self](leave_atom) {
        const auto here = self->state.here;
        if (!here) return;
        react(self, self->state.protocol->promise_nothing(self->state.clock->now()));
        here->link->send(wire::encode(wire::goodbye{"this node leaves", true}));
        here->link->close();
        end_connection(self);
      },
      [self](ask_atom) { look(self); },
      [self](hurry_atom) { react(self, self->state.protocol->promise_nothing(self->state.clock->now())); },
      [self](credit_atom) {
        self->state.credit_timer_set = false;
        react(self, self->state.protocol->renew_credit());
      },
      [self](durable_atom, const batch_shares_ptr& shares) {
        for (const auto& s : *shares) self->state.protocol->durable(s.batch, s.answers, s.forwarded);
        react(self, self->state.protocol->after_durable(self->state.clock->now()));
      },
  };
}

}  // namespace tenure::actors
