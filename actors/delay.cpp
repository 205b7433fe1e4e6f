#include "actors/delay.hpp"

#include <algorithm>
#include <chrono>

#include <caf/typed_event_based_actor.hpp>

namespace tenure::actors {
namespace {

using pointer = delay_actor::stateful_pointer<delay_state>;

// Lots that fall due within this time of each other leave on one timer.
constexpr nanos timer_step = 10 * millisecond;

void release(pointer self) {
  auto& state = self->state;
  const nanos now = state.clock->now();
  for (auto& lot : state.held.due(now)) self->send(state.shard, resolve_atom_v, std::move(lot));
  const auto next = state.held.next_due();
  if (!next || state.timer_set) return;
  state.timer_set = true;
  self->delayed_send(self, std::chrono::nanoseconds{std::max(*next - now, timer_step)}, release_atom_v);
}

}  // namespace

delay_actor::behavior_type delay(pointer self, nanos hold, shard_actor shard,
                                 std::shared_ptr<const node_clock> clock) {
  auto& state = self->state;
  state.held = hold_queue{hold};
  state.shard = std::move(shard);
  state.clock = std::move(clock);
  return {
      [self](hold_atom, flow_lot_ptr& lot) {
        self->state.held.push(std::move(lot), self->state.clock->now());
        release(self);
      },
      [self](release_atom) {
        self->state.timer_set = false;
        release(self);
      },
      [self](drain_atom) {
        self->state.held.end_hold();
        release(self);
        return true;
      },
  };
}

}  // namespace tenure::actors
