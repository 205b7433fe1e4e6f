#include "actors/intake.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/peer_lots.hpp"
#include "actors/shard_key.hpp"
#include "ownership/attributor.hpp"

namespace tenure::actors {
namespace {

using pointer = intake_actor::stateful_pointer<intake_state>;

constexpr auto look_interval = std::chrono::milliseconds{500};
// Names of agents that are kept; of more, all are learnt anew.
constexpr std::size_t max_origins = 20'000;

flow_origin_ptr origin_of(pointer self, const std::string& agent) {
  auto& known = self->state.origins;
  if (known.size() >= max_origins && !known.contains(agent)) known.clear();
  auto& origin = known[agent];
  if (!origin)
    origin = std::make_shared<const flow_origin>(flow_origin{caf::weak_actor_ptr{self->ctrl()}, agent});
  return origin;
}

void hold(intake_state& s, std::int64_t flows) {
  s.flows.held += static_cast<std::uint64_t>(flows);
  s.held_bytes += flows * held_flow_bytes;
  s.parts->budget->spend(flows * held_flow_bytes);
}

void hand_on_evidence(pointer self, const std::vector<evidence>& items) {
  auto& s = self->state;
  const auto& shards = s.parts->routes->shards;
  std::vector<std::shared_ptr<evidence_lot>> lots(shards.size());
  for (const auto& e : items) {
    if (unroutable(s.parts->routable, e.endpoint.address) != reason::none) {
      ++s.parts->counters->evidence_refused;
      continue;
    }
    auto& lot = lots[shard_of(e.endpoint.address, shards.size())];
    if (!lot) lot = std::make_shared<evidence_lot>();
    lot->items.push_back(e);
  }
  s.parts->counters->evidence_from_nodes += items.size();
  for (std::size_t i = 0; i < lots.size(); ++i) {
    if (!lots[i]) continue;
    lots[i]->taken.of_all = {s.parts->budget, lots[i]->bytes()};
    s.parts->counters->evidence_waiting += lots[i]->items.size();
    self->send(shards[i], evidence_atom_v, evidence_lot_ptr{std::move(lots[i])});
  }
}

/// Flows are judged here, whoever this node takes for the owner: so nothing goes round in circles.
void hand_on_flows(pointer self, const placed_lot& placed) {
  auto& s = self->state;
  if (placed.flows.empty()) return;
  s.parts->counters->flows_from_nodes += placed.flows.size();
  s.flows.received += placed.flows.size();
  hold(s, static_cast<std::int64_t>(placed.flows.size()));
  const auto& delays = s.parts->routes->delays;
  auto rows = flow_sorter(delays.size(), nullptr).sort(placed.flows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].empty()) continue;
    auto lot = std::make_shared<flow_lot>();
    lot->origin = origin_of(self, placed.agent);
    lot->ticket = placed.id;
    lot->rows = std::move(rows[i]);
    self->send(delays[i], hold_atom_v, flow_lot_ptr{std::move(lot)});
  }
}

void count(intake_state& s) {
  auto& c = *s.parts->counters;
  c.lots_repeated += s.lots->lots_repeated() - std::exchange(s.repeated, s.lots->lots_repeated());
  c.batch_runs_forgotten += s.lots->take_forgotten();
  c.evidence_refused += s.lots->evidence_refused() - std::exchange(s.refused, s.lots->evidence_refused());
  s.page->write(s.flows);
}

void end_connection(intake_state& s) {
  s.here->link->close();
  s.here.reset();
  s.lots->disconnected();
}

void react(pointer self, outcome<lot_receiver::reaction> r) {
  auto& s = self->state;
  if (!r) {
    spdlog::warn("node {}: closing: {}", s.node, r.error().text);
    s.here->link->send(wire::encode(wire::goodbye{wire::as_text(r.error().text)}));
    end_connection(s);
    return;
  }
  for (const auto& placed : r->placed) {
    if (placed.handed_over) {
      s.parts->counters->timelines_received += placed.items.size();
      s.parts->counters->timelines_refused += placed.left_out;
    }
    hand_on_evidence(self, placed.items);
    hand_on_flows(self, placed);
  }
  count(s);
  if (!s.here) return;
  for (const auto& m : r->send) s.here->link->send(wire::encode(m));
  if (r->ask_at && !std::exchange(s.asking, true)) {
    const nanos wait = std::max(*r->ask_at - s.parts->clock->now(), nanos{0});
    self->delayed_send(self, std::chrono::nanoseconds{wait}, ask_atom_v);
  }
}

void arrive(pointer self, const visit_ptr& who) {
  auto& s = self->state;
  if (s.here) end_connection(s);
  s.here = who;
  s.node = who->hello.node;
  if (!s.page) s.page = s.parts->book->open("(node " + s.node + ")");
  spdlog::info("node {}: sends to us from {}", s.node, who->link->peer());
  react(self, s.lots->connected(who->hello, s.parts->clock->now()));
}

void receive(pointer self, const received_frame& f, const visit_ptr& who) {
  auto& s = self->state;
  who->inbox_bytes -= inbox_cost(f.bytes);
  if (s.here == who) react(self, s.lots->receive(f.bytes, f.at, s.parts->clock->now()));
}

void make_durable(pointer self, const batch_shares& shares) {
  auto& s = self->state;
  wire::settled settled;
  for (const auto& share : shares) {
    std::size_t flows = 0;
    for (std::size_t i = 0; i < share.answers.size(); ++i) {
      flows += share.answers[i];
      s.flows.answers[i] += share.answers[i];
    }
    hold(s, -static_cast<std::int64_t>(flows));
    for (auto& m : s.lots->durable(share.batch, flows).send)
      for (const auto id : std::get<wire::settled>(m).lots) settled.lots.push_back(id);
    if (!s.here || settled.lots.size() < wire::max_settled_lots) continue;
    s.here->link->send(wire::encode(std::exchange(settled, {})));
  }
  count(s);
  if (s.here && !settled.lots.empty()) s.here->link->send(wire::encode(settled));
}

void end_if_retired(pointer self) {
  auto& s = self->state;
  if (s.retired && s.flows.held == 0) self->quit();
}

}  // namespace

intake_state::~intake_state() {
  if (!parts) return;
  parts->budget->spend(-held_bytes);
  if (page) parts->book->close(page);
}

intake_actor::behavior_type intake(pointer self, std::shared_ptr<const intake_parts> parts) {
  auto& s = self->state;
  s.lots = std::make_unique<lot_receiver>(parts->lots, parts->workloads);
  s.parts = std::move(parts);
  self->delayed_send(self, look_interval, ping_atom_v);
  return {
      [self](arrival_atom, const visit_ptr& who) { arrive(self, who); },
      [self](frame_atom, const received_frame_ptr& f, const visit_ptr& who) { receive(self, *f, who); },
      [self](gone_atom, std::uint8_t, const visit_ptr& who) {
        if (self->state.here == who) end_connection(self->state);
      },
      [self](retire_atom) {
        self->state.retired = true;
        if (self->state.here) end_connection(self->state);
        end_if_retired(self);
      },
      [self](leave_atom) {
        if (!self->state.here) return;
        self->state.here->link->send(wire::encode(wire::goodbye{"this node leaves", true}));
        end_connection(self->state);
      },
      [self](ping_atom) {
        self->delayed_send(self, look_interval, ping_atom_v);
        if (self->state.here) react(self, self->state.lots->tick(self->state.parts->clock->now()));
      },
      [self](ask_atom) {
        self->state.asking = false;
        if (self->state.here) react(self, self->state.lots->ask(self->state.parts->clock->now()));
      },
      [self](durable_atom, const batch_shares_ptr& shares) {
        make_durable(self, *shares);
        end_if_retired(self);
      },
  };
}

}  // namespace tenure::actors
