#include "actors/delay.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include <caf/typed_event_based_actor.hpp>

namespace tenure::actors {
namespace {

using pointer = delay_actor::stateful_pointer<delay_state>;

// What falls due within this time of each other leaves on one timer.
constexpr nanos timer_step = 10 * millisecond;

/// Brings the node's gauges up to date.
void gauge(delay_state& state) {
  const auto report = [](node_counters::counter& gauge, std::size_t& reported, std::size_t now) {
    gauge += now - reported;  // modulo 2^64: it goes down as well
    reported = now;
  };
  report(state.counters->hold_flows, state.flows, state.held->flows());
  report(state.counters->hold_bytes, state.bytes, state.held->bytes());
}

void release_due(pointer self) {
  auto& state = self->state;
  if (state.left) return gauge(state);
  const nanos now = state.clock->now();
  auto& released = state.counters->flows_released;
  const std::uint64_t before = released;
  const std::uint64_t room = most_released - std::min(before, most_released);
  const auto most = state.draining ? std::numeric_limits<std::size_t>::max() : room;
  for (auto& lot : state.held->due(now, most)) {
    released += lot->flows;
    self->send(state.shard, resolve_atom_v, std::move(lot));
  }
  gauge(state);
  const auto next = state.held->next_due();
  if (!next) return;
  const nanos at = std::max(*next, now + timer_step);
  if (!state.timers.empty() && at >= state.timers.back()) return;
  state.timers.push_back(at);
  self->delayed_send(self, std::chrono::nanoseconds{at - now}, release_atom_v);
}

}  // namespace

delay_actor::behavior_type delay(pointer self, const hold_settings& settings,
                                 std::shared_ptr<hold::block_pool> memory, shard_actor shard,
                                 std::shared_ptr<const node_clock> clock,
                                 std::shared_ptr<node_counters> counters) {
  auto& state = self->state;
  state.held = std::make_unique<hold_queue>(settings, std::move(memory));
  state.shard = std::move(shard);
  state.clock = std::move(clock);
  state.counters = std::move(counters);
  return {
      [self](hold_atom, const flow_lot_ptr& lot) {
        const auto measured = self->state.counters->stages.measure(stage::hold, *self->state.clock);
        self->state.held->push(*lot, self->state.clock->now());
        release_due(self);
      },
      [self](hold_atom, const flow_lots_ptr& lots) {
        const auto measured = self->state.counters->stages.measure(stage::hold, *self->state.clock);
        const nanos now = self->state.clock->now();
        for (const auto& lot : *lots) self->state.held->push(lot, now);
        release_due(self);
      },
      [self](hold_atom, const due_lot_ptr& left, nanos heartbeat) {
        const auto measured = self->state.counters->stages.measure(stage::hold, *self->state.clock);
        self->state.counters->flows_released -= left->flows;
        self->state.held->push_again(*left, self->state.clock->now(), heartbeat);
        release_due(self);
      },
      [self](release_atom) {
        self->state.timers.pop_back();
        release_due(self);
      },
      [self](drain_atom) {
        // To a full output there is no way: what is held stays with the agents.
        if (self->state.counters->sink_full > 0) return self->state.held->flows() == 0;
        self->state.draining = true;
        self->state.held->end_hold();
        release_due(self);
        return true;
      },
      [self](leave_atom) {
        self->state.left = true;
        return true;
      },
  };
}

}  // namespace tenure::actors
