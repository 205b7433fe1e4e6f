#include "actors/peer.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include "actors/peer_lots.hpp"
#include "actors/peer_timelines.hpp"
#include "actors/redial_wait.hpp"

namespace tenure::actors {
namespace {

using pointer = peer_actor::stateful_pointer<peer_state>;

constexpr auto first_redial = std::chrono::milliseconds{100};
constexpr auto longest_redial = std::chrono::milliseconds{2000};
constexpr auto look_interval = std::chrono::milliseconds{500};
// Lots of so long go together: nodes wake each other for each frame otherwise, and few flows pay for it.
constexpr auto gathering_time = std::chrono::milliseconds{20};
// A node that has not been welcome for so long is given up until it answers again.
constexpr nanos given_up_after = 3 * second;

/// What does not fit any more waits. @returns false when nothing of it was taken
bool offer(pointer self, const flow_lot& lot) {
  auto& s = self->state;
  if (s.lots->is_full()) return false;
  for (auto& l : flows_for_node(lot, *s.parts->workloads)) {
    if (s.lots->is_full()) {
      name_again(l, *s.parts->workloads);
      auto rest =
          std::make_shared<flow_lot>(flow_lot{lot.origin, hold::packed_rows{lot.rows.base()}, lot.ticket});
      for (const auto& f : l.content.flows) rest->rows.add(f);
      s.waiting.push_back(std::move(rest));
      continue;
    }
    const auto flows = static_cast<std::uint32_t>(l.content.flows.size());
    s.sent.emplace(++s.last_tag, peer_state::sent_lot{lot.origin, lot.ticket, flows});
    lot_sender::reaction r;
    s.lots->offer(s.last_tag, std::move(l), r);
    send(self, r);
  }
  return true;
}

/// Sends flows the way that is right now: to where they are held here, or to another node's actor.
/// @returns what has no way but this node, which is away
std::vector<flow_lot_ptr> send_another_way(pointer self, const std::vector<flow>& flows,
                                           const peer_state::sent_lot& from) {
  auto& s = self->state;
  const auto& here = *s.parts->routes;
  std::vector<flow_lot_ptr> left;
  auto rows = flow_sorter(here.shards.size(), s.parts->ways->now()).sort(flows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].empty()) continue;
    auto lot = std::make_shared<flow_lot>();
    lot->origin = from.origin;
    lot->ticket = from.ticket;
    lot->rows = std::move(rows[i]);
    if (i < here.delays.size()) {
      self->send(here.delays[i], hold_atom_v, flow_lot_ptr{std::move(lot)});
    } else if (const auto n = static_cast<cluster::placement::number>(i - here.delays.size() + 1);
               n == s.number) {
      left.push_back(std::move(lot));
    } else if (const auto other = s.parts->ways->peer(n)) {
      self->send(other, hold_atom_v, flow_lot_ptr{std::move(lot)});
    }
  }
  return left;
}

std::vector<flow> flows_of(const flow_lot& lot) {
  std::vector<std::byte> rows(lot.rows.bytes().begin(), lot.rows.bytes().end());
  rows.resize(rows.size() + hold::row_slack);
  hold::row_cursor cursor(lot.rows.base(), rows.data());
  std::vector<flow> out(lot.rows.count());
  for (auto& f : out) cursor.next(f);
  return out;
}

void hold_back(pointer self, std::vector<flow_lot_ptr> lots) {
  for (auto& l : lots) self->state.waiting.push_back(std::move(l));
}

void send_waiting(pointer self) {
  auto& s = self->state;
  while (!s.waiting.empty() && offer(self, *s.waiting.front())) s.waiting.pop_front();
}

/// What waits for a node that is away goes another way as soon as there is one.
void look_through_waiting(pointer self) {
  auto& s = self->state;
  auto where = s.parts->ways->now();
  if (std::exchange(s.looked_at, where) == where) return;
  for (const auto& lot : std::exchange(s.waiting, {}))
    hold_back(self, send_another_way(self, flows_of(*lot), {lot->origin, lot->ticket, 0}));
}

void take(pointer self, const flow_lot_ptr& lot) {
  auto& s = self->state;
  if (s.away) {
    // Whoever sent it may not have looked since.
    hold_back(self, send_another_way(self, flows_of(*lot), {lot->origin, lot->ticket, 0}));
    return;
  }
  s.waiting.push_back(lot);
  if (!std::exchange(s.gathering, true)) self->delayed_send(self, gathering_time, seal_atom_v);
}

void take(pointer self, const evidence_lot& lot) {
  auto& s = self->state;
  auto& undelivered = s.parts->counters->evidence_undelivered;
  if (s.away) {
    undelivered += lot.items.size();
    return;
  }
  for (auto& l : evidence_for_node(lot.items, *s.parts->workloads)) {
    const auto items = l.content.evidence.size();
    lot_sender::reaction r;
    if (!s.lots->is_full())
      s.lots->offer(0, std::move(l), r);
    else
      undelivered += items;
    send(self, r);
  }
}

/// Flows go where they belong now. Evidence is not kept for a node that is away or new: agents repeat it.
void give_another_way(pointer self, std::vector<lot_sender::unsettled> lots) {
  auto& s = self->state;
  for (auto& u : lots) {
    s.parts->counters->evidence_undelivered += u.lot.content.evidence.size();
    const auto known = s.sent.find(u.tag);
    if (known == s.sent.end()) continue;
    if (known->second.request != 0) {
      s.sent.erase(known);
      continue;
    }
    name_again(u.lot, *s.parts->workloads);
    s.parts->counters->flows_rerouted += known->second.flows;
    hold_back(self, send_another_way(self, u.lot.content.flows, known->second));
    s.sent.erase(known);
  }
}

/// The sessions whose flows are durable now hear of it, each of all its batches at once.
void confirm(pointer self, const std::vector<std::uint64_t>& tags) {
  auto& s = self->state;
  std::vector<std::pair<flow_origin_ptr, std::shared_ptr<batch_shares>>> told;
  for (const auto tag : tags) {
    const auto known = s.sent.find(tag);
    if (known == s.sent.end()) continue;
    const auto& lot = known->second;
    if (lot.request != 0) {
      handed_over(self, lot);
      s.sent.erase(known);
      continue;
    }
    auto at = std::find_if(told.begin(), told.end(), [&](const auto& t) { return t.first == lot.origin; });
    if (at == told.end()) at = told.insert(at, {lot.origin, std::make_shared<batch_shares>()});
    at->second->push_back({lot.ticket, {}, lot.flows});
    s.sent.erase(known);
  }
  for (auto& [origin, shares] : told)
    if (const auto session = caf::actor_cast<caf::strong_actor_ptr>(origin->session))
      caf::anon_send(caf::actor_cast<session_actor>(session), durable_atom_v,
                     batch_shares_ptr{std::move(shares)});
}

void dial(pointer self) {
  auto& s = self->state;
  if (s.link || !s.wanted) return;
  const std::uint64_t number = ++s.link_number;
  const auto me = caf::actor_cast<peer_actor>(self);
  transport::link_events events;
  events.received = [me, number, clock = s.parts->clock](transport::frame f) {
    auto received = std::make_shared<received_frame>();
    received->bytes = std::move(f);
    received->at = clock->now();
    caf::anon_send(me, frame_atom_v, number, received_frame_ptr{std::move(received)});
  };
  events.closed = [me, number](transport::close_reason why) {
    caf::anon_send(me, gone_atom_v, number, static_cast<std::uint8_t>(why));
  };
  s.link = s.parts->net->dial(s.address, std::move(events));
  send(self, s.lots->connected(s.parts->clock->now()));
}

void redial_later(pointer self) {
  auto& s = self->state;
  self->delayed_send(self, redial_wait(first_redial, longest_redial, s.failed_dials++, s.jitter),
                     dial_atom_v);
}

void give_up(pointer self) {
  auto& s = self->state;
  if (!std::exchange(s.away, true))
    spdlog::warn("node {} at {} does not answer: what it had not settled goes another way", s.other,
                 s.address);
  // First the placement, so that nothing comes back here by the old one.
  if (const auto desk = s.parts->desk.lock()) desk->silent(s.number);
  if (!s.lots->is_connected()) give_another_way(self, s.lots->take_back());
  s.timelines.abandon();
  s.handing.clear();
  look_through_waiting(self);
}

void end_link(pointer self) {
  auto& s = self->state;
  if (!s.link) return;
  if (s.lots->is_welcome()) s.missed_since = s.parts->clock->now();
  s.link->close();
  s.link.reset();
  s.lots->disconnected();
  if (s.wanted) redial_later(self);
}

/// The other node ends, and said so.
void let_go(pointer self) {
  auto& s = self->state;
  if (!std::exchange(s.away, true))
    spdlog::info("node {} at {} leaves: what it had not settled goes another way", s.other, s.address);
  end_link(self);
  give_up(self);
}

void receive(pointer self, const received_frame& f) {
  auto& s = self->state;
  const bool was_welcome = s.lots->is_welcome();
  auto r = s.lots->receive(f.bytes, s.parts->clock->now());
  if (!r) {
    spdlog::warn("node {} at {}: closing: {}", s.other, s.address, r.error().text);
    end_link(self);
    return;
  }
  if (r->leaving) return let_go(self);
  send(self, *r);
  confirm(self, r->settled);
  if (!was_welcome && s.lots->is_welcome()) {
    s.failed_dials = 0;
    s.away = false;
    spdlog::info("node {} at {} answers", s.other, s.address);
    if (const auto desk = s.parts->desk.lock()) desk->answers(s.number, s.lots->their_start());
  }
  give_another_way(self, std::move(r->given_back));
  send_waiting(self);
  send_handing(self);
}

void look(pointer self) {
  auto& s = self->state;
  const nanos now = s.parts->clock->now();
  const bool silent = !s.lots->tick(now);
  const bool missed = s.wanted && !s.lots->is_welcome() && !s.away && now - s.missed_since > given_up_after;
  if (silent || missed) {
    end_link(self);
    give_up(self);
  }
  if (const auto desk = s.parts->desk.lock()) desk->look();
  look_at_timelines(self);
  answer_leaving(self);
  if (s.away)
    look_through_waiting(self);
  else
    send_waiting(self);
}

void moved(pointer self, bool member, const std::string& address) {
  auto& s = self->state;
  if (s.address != address) {
    s.address = address;
    end_link(self);
  }
  if (std::exchange(s.wanted, member) == member) return;
  if (member) {
    s.away = false;
    s.missed_since = s.parts->clock->now();
    s.failed_dials = 0;
    dial(self);
  } else {
    end_link(self);
    give_up(self);
  }
}

}  // namespace

peer_actor::behavior_type peer(pointer self, std::shared_ptr<const peer_parts> parts,
                               cluster::placement::number number, std::string other) {
  auto& s = self->state;
  s.jitter.seed(static_cast<std::minstd_rand::result_type>(parts->incarnation + number));
  s.number = number;
  s.other = std::move(other);
  lot_sender_settings settings;
  settings.node = parts->node;
  settings.incarnation = parts->incarnation;
  settings.max_unsettled_bytes = parts->unsettled_bytes;
  s.lots = std::make_unique<lot_sender>(settings);
  s.parts = std::move(parts);
  self->delayed_send(self, look_interval, ping_atom_v);
  return {
      [self](hold_atom, const flow_lot_ptr& lot) { take(self, lot); },
      [self](evidence_atom, const evidence_lot_ptr& lot) { take(self, *lot); },
      [self](hand_atom, const moving_chunk_ptr& chunk) { take(self, *chunk); },
      [self](moved_atom, bool member, const std::string& address) { moved(self, member, address); },
      [self](dial_atom) { dial(self); },
      [self](frame_atom, std::uint64_t link, const received_frame_ptr& f) {
        if (link == self->state.link_number && self->state.link) receive(self, *f);
      },
      [self](gone_atom, std::uint64_t link, std::uint8_t) {
        if (link == self->state.link_number) end_link(self);
      },
      [self](seal_atom) {
        self->state.gathering = false;
        if (!self->state.away) send_waiting(self);
      },
      [self](ping_atom) {
        self->delayed_send(self, look_interval, ping_atom_v);
        look(self);
      },
      [self](drain_atom) {
        auto promise = self->make_response_promise<bool>();
        self->state.leaving.push_back(promise);
        look_at_timelines(self);
        answer_leaving(self);
        return promise;
      },
  };
}

}  // namespace tenure::actors
