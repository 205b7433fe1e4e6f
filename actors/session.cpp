#include "actors/session.hpp"

#include <chrono>
#include <utility>

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/shard_key.hpp"

namespace tenure::actors {
namespace {

using pointer = session_actor::stateful_pointer<session_state>;

constexpr auto ping_interval = std::chrono::seconds{5};

/// Evidence goes to the shard of each local address.
void route_evidence(pointer self, const std::vector<evidence>& items) {
  const auto& shards = self->state.routes->shards;
  std::vector<std::shared_ptr<evidence_lot>> lots(shards.size());
  for (const auto& e : items) {
    auto& lot = lots[shard_of(e.endpoint.address, shards.size())];
    if (!lot) lot = std::make_shared<evidence_lot>();
    lot->items.push_back(e);
  }
  for (std::size_t i = 0; i < lots.size(); ++i)
    if (lots[i]) self->send(shards[i], evidence_atom_v, evidence_lot_ptr{std::move(lots[i])});
}

/// Flows go to the delay actor of each remote address.
void route_flows(pointer self, placed_batch& batch) {
  const auto& delays = self->state.routes->delays;
  for (std::size_t i = 0; i < batch.flows.size(); ++i) {
    if (batch.flows[i].empty()) continue;
    auto lot = std::make_shared<flow_lot>();
    lot->origin = self->state.origin;
    lot->rows = std::move(batch.flows[i]);
    self->send(delays[i], hold_atom_v, flow_lot_ptr{std::move(lot)});
  }
}

void react(pointer self, outcome<session_reaction> reaction) {
  auto& state = self->state;
  if (!reaction) {
    if (std::exchange(state.refused, true)) return;  // what was still under way when it was closed
    spdlog::warn("session {}: closing: {}", state.link->peer(), reaction.error().text);
    state.link->send(wire::encode(wire::goodbye{wire::as_text(reaction.error().text)}));
    state.link->close();
    return;
  }
  if (!state.origin && state.protocol->greeted()) {
    state.origin = std::make_shared<const flow_origin>(
        flow_origin{caf::weak_actor_ptr{self->ctrl()}, state.protocol->agent()});
    spdlog::info("session {}: agent {}", state.link->peer(), state.origin->agent);
  }
  for (auto& placed : reaction->placed) {
    // Evidence first: where both go to one shard, it is there before any flow's hold is over.
    route_evidence(self, placed.items);
    route_flows(self, placed);
  }
  for (const auto& m : reaction->send) state.link->send(wire::encode(m));
}

/// A frame that the transport refused before anybody could look into it.
bool breaks_framing(transport::close_reason why) {
  return why == transport::close_reason::too_long || why == transport::close_reason::truncated;
}

}  // namespace

session_actor::behavior_type session(pointer self, std::shared_ptr<const session_parts> parts,
                                     transport::link_ptr link) {
  auto& state = self->state;
  state.protocol = std::make_unique<session_protocol>(parts->settings, parts->workloads, parts->counters);
  state.routes = parts->routes;
  state.clock = parts->clock;
  state.counters = parts->counters;
  state.link = std::move(link);
  ++state.counters->sessions_opened;
  self->delayed_send(self, ping_interval, ping_atom_v);
  return {
      [self](frame_atom, const received_frame_ptr& f) {
        react(self, self->state.protocol->receive({f, &f->bytes}, f->at, self->state.clock->now()));
      },
      [self](gone_atom, std::uint8_t reason) {
        auto& s = self->state;
        const auto why = static_cast<transport::close_reason>(reason);
        if (breaks_framing(why)) ++s.counters->frames_refused;
        if (!s.refused) spdlog::info("session {}: ended: {}", s.link->peer(), transport::to_string(why));
        s.protocol->abandon();
        ++s.counters->sessions_closed;
        self->quit();
      },
      [self](ping_atom) {
        self->delayed_send(self, ping_interval, ping_atom_v);
        react(self, self->state.protocol->tick(self->state.clock->now()));
      },
      [self](durable_atom, const batch_shares_ptr& shares) {
        for (const auto& s : *shares) react(self, self->state.protocol->durable(s.batch, s.flows));
      },
  };
}

}  // namespace tenure::actors
