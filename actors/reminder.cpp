#include "actors/reminder.hpp"

#include <algorithm>
#include <chrono>

#include "actors/protocol.hpp"

namespace tenure::actors {
namespace {

constexpr auto step = std::chrono::milliseconds{20};

}  // namespace

caf::behavior reminder(caf::stateful_actor<reminder_state>* self, std::shared_ptr<const node_clock> clock) {
  self->state.clock = std::move(clock);
  return {
      [self](ask_atom, nanos at, const caf::strong_actor_ptr& whom) {
        self->state.asked.emplace_back(at, whom);
        if (!std::exchange(self->state.timer_set, true)) self->delayed_send(self, step, look_atom_v);
      },
      [self](look_atom) {
        auto& asked = self->state.asked;
        const nanos now = self->state.clock->now();
        const auto later =
            std::stable_partition(asked.begin(), asked.end(), [&](const auto& a) { return a.first <= now; });
        for (auto it = asked.begin(); it != later; ++it)
          self->send(caf::actor_cast<session_actor>(it->second), ask_atom_v);
        asked.erase(asked.begin(), later);
        self->state.timer_set = !asked.empty();
        if (self->state.timer_set) self->delayed_send(self, step, look_atom_v);
      },
  };
}

}  // namespace tenure::actors
