#include "actors/peer_timelines.hpp"

#include <utility>

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

namespace tenure::actors {
namespace {

/// A shard goes on when what it gave before is settled, so no more than a chunk of each is under way.
void go_on(peer_pointer self, std::uint32_t shard) {
  auto& s = self->state;
  self->send(s.parts->routes->shards[shard], more_atom_v, s.number, s.timelines.request());
}

void finish_hand_over(peer_pointer self) {
  auto& s = self->state;
  if (s.timelines.under_way()) return;
  const nanos took = s.parts->clock->now() - s.timelines.began();
  ++s.parts->counters->hand_overs;
  s.parts->counters->hand_over_nanos += static_cast<std::uint64_t>(took);
  spdlog::info("node {}: timelines handed over in {} ms", s.other, took / millisecond);
}

}  // namespace

void send(peer_pointer self, const lot_sender::reaction& r) {
  for (const auto& f : r.send) self->state.link->send(f);
  auto& again = self->state.sent_again;
  self->state.parts->counters->lots_sent_again += self->state.lots->lots_sent_again() - again;
  again = self->state.lots->lots_sent_again();
}

void send_handing(peer_pointer self) {
  auto& s = self->state;
  for (; !s.handing.empty() && !s.lots->is_full(); s.handing.pop_front()) {
    auto& [shard, lot] = s.handing.front();
    const auto items = static_cast<std::uint32_t>(lot.content.evidence.size());
    s.sent.emplace(++s.last_tag, peer_state::sent_lot{{}, 0, 0, s.timelines.request(), shard, items});
    const auto before = s.lots->unsettled_bytes();
    lot_sender::reaction r;
    s.lots->offer(s.last_tag, std::move(lot), r);
    s.parts->counters->timelines_sent_bytes += s.lots->unsettled_bytes() - before;
    send(self, r);
  }
}

void answer_leaving(peer_pointer self) {
  auto& s = self->state;
  const auto where = s.parts->ways->now();
  const auto through = !s.wanted || s.away || !where ? false : s.timelines.through(*where, s.number);
  if (!through) return;
  for (auto& promise : std::exchange(s.leaving, {})) promise.deliver(*through);
}

void take(peer_pointer self, const moving_chunk& chunk) {
  auto& s = self->state;
  if (chunk.request != s.timelines.request() || !s.timelines.under_way()) return;
  auto lots = s.timelines.take(chunk, *s.parts->workloads);
  if (lots.empty() && !chunk.last) return go_on(self, chunk.shard);
  for (auto& l : lots) s.handing.emplace_back(chunk.shard, std::move(l));
  finish_hand_over(self);
  send_handing(self);
}

void handed_over(peer_pointer self, const peer_state::sent_lot& lot) {
  auto& s = self->state;
  s.parts->counters->timelines_sent += lot.items;
  if (lot.request != s.timelines.request() || !s.timelines.under_way()) return;
  if (s.timelines.settled(lot.request, lot.shard)) return go_on(self, lot.shard);
  finish_hand_over(self);
  answer_leaving(self);
}

void look_at_timelines(peer_pointer self) {
  auto& s = self->state;
  if (s.lots->is_welcome()) {
    const auto& shards = s.parts->routes->shards;
    const auto request = s.timelines.look(s.parts->ways->now(), s.number, s.lots->their_incarnation(),
                                          shards.size(), s.parts->clock->now());
    if (request) {
      s.handing.clear();
      for (std::uint32_t i = 0; i < shards.size(); ++i) self->send(shards[i], hand_atom_v, request, i);
    }
  }
  s.parts->counters->hand_overs_abandoned +=
      s.timelines.abandoned() - std::exchange(s.abandoned, s.timelines.abandoned());
}

}  // namespace tenure::actors
