#pragma once

#include "actors/peer.hpp"

/// What a peer actor does about timelines: those of prefixes that its node holds from now on are handed over.
namespace tenure::actors {

using peer_pointer = peer_actor::stateful_pointer<peer_state>;

/// Frames of a lot_sender go out. @pre there is a link, or nothing to send
void send(peer_pointer self, const lot_sender::reaction& r);

/// Looks whether there is something to hand over, and asks the shards for it.
void look_at_timelines(peer_pointer self);
/// What a shard gave.
void take(peer_pointer self, const moving_chunk& chunk);
/// A lot of it is settled.
void handed_over(peer_pointer self, const peer_state::sent_lot& lot);
/// Sends what did not fit before.
void send_handing(peer_pointer self);
/// Whoever waits until it has our timelines hears whether it does.
void answer_leaving(peer_pointer self);

}  // namespace tenure::actors
