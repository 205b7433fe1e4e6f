#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include "actors/clocks.hpp"

namespace tenure::actors {

struct reminder_state {
  static inline const char* name = "reminder";

  std::shared_ptr<const node_clock> clock;
  std::vector<std::pair<nanos, caf::strong_actor_ptr>> asked;  ///< when to remind whom
  bool timer_set = false;
};

/// One timer for all sessions, since each costs two wake-ups of other threads, as much as a hundred flows.
/// Takes (ask_atom, nanos, session) and answers ask_atom at that time, or up to a step of 20 ms later.
caf::behavior reminder(caf::stateful_actor<reminder_state>* self, std::shared_ptr<const node_clock> clock);

}  // namespace tenure::actors
