#include "actors/shard.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include <caf/typed_event_based_actor.hpp>

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
  auto& count = *state.counters;
  for (const merged result : results) {
    if (result == merged::changed) ++count.evidence_merged;
    if (result == merged::refused) ++count.evidence_refused;
    if (result == merged::too_old) ++count.evidence_too_old;
    if (result == merged::no_room) ++count.evidence_no_room;
  }
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

void resolve(pointer self, const flow_lot_ptr& lot) {
  std::vector<question> questions;
  questions.reserve(lot->flows.size());
  for (const auto& f : lot->flows) questions.push_back({f.far_address, f.far_port, f.times});
  auto resolved = std::make_shared<resolved_lot>();
  resolved->lot = lot;
  resolved->verdicts.resize(lot->flows.size());
  self->state.owners->attribute_all(questions, resolved->verdicts);
  self->send(self->state.sink, write_atom_v, resolved_lot_ptr{std::move(resolved)});
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
      [self](evidence_atom, const evidence_lot_ptr& lot) { merge(self, lot->items); },
      [self](resolve_atom, const flow_lot_ptr& lot) { resolve(self, lot); },
      [self](forget_atom) { forget(self); },
      [](drain_atom) { return true; },
  };
}

}  // namespace tenure::actors
