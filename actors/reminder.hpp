#pragma once

#include <memory>
#include <optional>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include "actors/clocks.hpp"
#include "actors/reminders.hpp"

namespace tenure::actors {

struct reminder_state {
  static inline const char* name = "reminder";

  std::shared_ptr<const node_clock> clock;
  reminders<caf::strong_actor_ptr> asked;
  std::optional<nanos>
      timer;  ///< what the latest timer was set for, which is the earliest of those that count
};

/// One timer for all sessions, since each costs two wake-ups of other threads, as much as a hundred flows.
/// Takes (ask_atom, nanos, session) and answers ask_atom at that time or a little later (reminders).
caf::behavior reminder(caf::stateful_actor<reminder_state>* self, std::shared_ptr<const node_clock> clock);

}  // namespace tenure::actors
