#pragma once

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/node.hpp"

/// How a node leaves its cluster.
namespace tenure::actors {

using node_pointer = node_actor::stateful_pointer<node_state>;
using node_answer = caf::typed_response_promise<bool>;

/// Goes on as before until the others could take over; see await_atom. @param most nanoseconds
node_answer await_others(node_pointer self, nanos most);
/// Looks whether they could by now.
void look_at_others(node_pointer self);

/// 1. Nothing belongs to this node any more. 2. What is held stays held: who sent it sends it to others. What
/// is resolved becomes durable, and agents and nodes hear of it. 3. They are told to go to others. 4.
/// Timelines go to those who hold them now. See leave_atom. @param most nanoseconds for all of it
node_answer leave(node_pointer self, nanos most);

}  // namespace tenure::actors
