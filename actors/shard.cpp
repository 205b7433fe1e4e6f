#include "actors/shard.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <caf/typed_event_based_actor.hpp>

#include "actors/lot_split.hpp"

namespace tenure::actors {
namespace {

using pointer = shard_actor::stateful_pointer<shard_state>;

constexpr auto forget_interval = std::chrono::minutes{1};

/// Brings the node's gauges up to date.
void gauge(shard_state& state) {
  const auto& known = state.owners->timelines();
  const auto report = [](node_counters::counter& gauge, std::size_t& reported, std::size_t now) {
    gauge += now - reported;  // modulo 2^64: it goes down as well
    reported = now;
  };
  report(state.counters->addresses, state.addresses, known.addresses());
  report(state.counters->tenancies, state.tenancies, known.tenancies());
  report(state.counters->timeline_bytes, state.bytes, known.bytes());
}

void merge(pointer self, const std::vector<evidence>& items) {
  auto& state = self->state;
  std::vector<merged> results(items.size());
  state.owners->merge_all(items, results);
  const auto add = [&](node_counters::counter& counter, merged what) {
    const auto n = std::count(results.begin(), results.end(), what);
    if (n > 0) counter += static_cast<std::uint64_t>(n);
  };
  add(state.counters->evidence_merged, merged::changed);
  add(state.counters->evidence_refused, merged::refused);
  add(state.counters->evidence_too_old, merged::too_old);
  add(state.counters->evidence_no_room, merged::no_room);
  gauge(state);
  if (std::exchange(state.timer_set, true)) return;
  self->delayed_send(self, forget_interval, forget_atom_v);
}

void forget(pointer self) {
  auto& state = self->state;
  const auto cutoff = due_cutoff(state.owners->timelines(), state.kept, state.clock->now(), state.forgotten);
  if (cutoff) {
    state.counters->tenancies_forgotten += state.owners->forget_before(*cutoff);
    state.forgotten = *cutoff;
    gauge(state);
  }
  state.timer_set = state.tenancies > 0;  // with nothing left, the next evidence sets it again
  if (state.timer_set) self->delayed_send(self, forget_interval, forget_atom_v);
}

/// Whether evidence that is still to come could name the far end.
bool lacks_evidence_only(const verdict& v, const question& q) {
  if (v.attributed() || q.times.error == unknown_error) return false;
  return v.reason != reason::conflict && v.reason != reason::external && v.reason != reason::local;
}

/// How late what goes to the output is.
void count_delays(shard_state& state) {
  const nanos now = state.clock->now();
  output_delays::count delays;
  for (std::size_t i = 0; i < state.stays.size(); ++i) {
    const auto& times = state.questions[i].times;
    // Without a bound of the agent's clock nobody knows when it closed.
    if (!state.stays[i] && times.error != unknown_error) delays.add(now - times.closed);
  }
  state.counters->close_to_output.add(delays);
}

/// Of a lot that may wait on: what is answered goes to the sink, what only lacks evidence back to wait.
void resolve_some(pointer self, const due_lot_ptr& lot, std::vector<verdict> verdicts) {
  auto& state = self->state;
  for (std::size_t i = 0; i < verdicts.size(); ++i)
    state.stays[i] = lacks_evidence_only(verdicts[i], state.questions[i]);
  count_delays(state);
  auto parts = split(lot, std::move(verdicts), state.stays);
  if (parts.stays)
    self->send(caf::actor_cast<delay_actor>(self->current_sender()), hold_atom_v,
               due_lot_ptr{std::move(parts.stays)}, state.owners->timelines().heartbeat());
  if (parts.goes) self->send(state.sink, write_atom_v, resolved_lot_ptr{std::move(parts.goes)});
}

void resolve(pointer self, const due_lot_ptr& lot) {
  auto& questions = self->state.questions;
  questions.resize(lot->flows);
  const std::byte* at = lot->rows;
  auto* q = questions.data();
  for (const auto& part : lot->parts) {
    hold::row_cursor rows(part.base, at);
    at += part.bytes;
    for (std::uint32_t n = 0; n < part.flows; ++n) rows.next(*q++);
  }
  std::vector<verdict> verdicts(lot->flows);
  self->state.owners->attribute_all(questions, verdicts);
  self->state.counters->flows_asked += questions.size();
  self->state.stays.assign(lot->flows, false);
  if (!lot->last) return resolve_some(self, lot, std::move(verdicts));
  count_delays(self->state);
  self->send(self->state.sink, write_atom_v,
             resolved_lot_ptr{std::make_shared<resolved_lot>(resolved_lot{lot, std::move(verdicts)})});
}

/// A chunk goes to the peer actor that asks for it.
void send_chunk(pointer self, std::uint32_t to, std::uint64_t request) {
  auto& moving = self->state.moving;
  const auto found = moving.find(to);
  if (found == moving.end() || found->second.request != request) return;
  auto chunk = std::make_shared<moving_chunk>();
  chunk->request = request;
  chunk->shard = found->second.shard;
  chunk->items = found->second.walk.next(self->state.owners->timelines());
  chunk->last = found->second.walk.over();
  if (chunk->last) moving.erase(found);
  self->send(caf::actor_cast<peer_actor>(self->current_sender()), hand_atom_v,
             moving_chunk_ptr{std::move(chunk)});
}

}  // namespace

shard_actor::behavior_type shard(pointer self, std::shared_ptr<attributor> owners, retention kept,
                                 std::shared_ptr<const node_clock> clock, sink_actor sink,
                                 std::shared_ptr<node_counters> counters) {
  auto& state = self->state;
  state.owners = std::move(owners);
  state.kept = kept;
  state.clock = std::move(clock);
  state.sink = std::move(sink);
  state.counters = std::move(counters);
  return {
      [self](evidence_atom, const evidence_lot_ptr& lot) {
        const auto measured = self->state.counters->stages.measure(stage::merge, *self->state.clock);
        merge(self, lot->items);
      },
      [self](resolve_atom, const due_lot_ptr& lot) {
        const auto measured = self->state.counters->stages.measure(stage::resolve, *self->state.clock);
        resolve(self, lot);
      },
      [self](hand_atom, const moving_request_ptr& request, std::uint32_t number) {
        auto& s = self->state;
        s.moving.insert_or_assign(
            request->to,
            shard_state::moving_part{request->number, number, {s.owners->timelines(), request->points}});
        send_chunk(self, request->to, request->number);
      },
      [self](more_atom, std::uint32_t to, std::uint64_t request) { send_chunk(self, to, request); },
      [self](forget_atom) { forget(self); },
      [](drain_atom) { return true; },
  };
}

}  // namespace tenure::actors
