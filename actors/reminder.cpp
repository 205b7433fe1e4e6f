#include "actors/reminder.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/protocol.hpp"

namespace tenure::actors {
namespace {

/// Where an earlier time is asked for, the later timer still comes, and counts for nothing.
void set_timer(caf::stateful_actor<reminder_state>* self) {
  auto& s = self->state;
  const auto next = s.asked.next();
  if (!next || (s.timer && *s.timer <= *next)) return;
  s.timer = next;
  // A timer runs by another clock than ours: one that comes too early is set once more.
  const nanos wait = std::max(*next - s.clock->now(), millisecond);
  self->delayed_send(self, std::chrono::nanoseconds{wait}, look_atom_v, *next);
}

}  // namespace

caf::behavior reminder(caf::stateful_actor<reminder_state>* self, std::shared_ptr<const node_clock> clock) {
  self->state.clock = std::move(clock);
  return {
      [self](ask_atom, nanos at, const caf::strong_actor_ptr& whom) {
        self->state.asked.ask(at, whom);
        set_timer(self);
      },
      [self](look_atom, nanos set_for) {
        auto& s = self->state;
        if (s.timer != set_for) return;
        s.timer.reset();
        for (const auto& whom : s.asked.due(s.clock->now()))
          self->send(caf::actor_cast<session_actor>(whom), ask_atom_v);
        set_timer(self);
      },
  };
}

}  // namespace tenure::actors
