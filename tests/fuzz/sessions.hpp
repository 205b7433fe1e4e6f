#pragma once

#include <cstddef>
#include <cstdint>

namespace tenure::fuzz {

/// Takes any bytes for what an agent does to a node over several connections: bytes of the stream as they
/// come, in any pieces, batches well made and ill, replays, pongs with any reading, silence, and connections
/// that break at any moment. They go the way of the node's reception: framing, decoding, the session's
/// protocol with rules of what may be claimed, the hold, the timelines, the sink's confirmations. Whatever
/// comes, the ledger balances, the budget is kept, memory stays small, no evidence reaches beyond now or
/// beyond what may be claimed, and what is held is what was received.
void play_session(const std::uint8_t* data, std::size_t size);

}  // namespace tenure::fuzz
