#pragma once

#include <cstdint>

#include "sim/truth.hpp"

namespace tenure::sim {

enum class segment_kind : std::uint8_t {
  syn,
  syn_ack,
  ack,
  request,
  reply,
  fin,
  probe,
  probe_ack,
  reset,
  challenge
};

/// One TCP segment under way. Addresses decide where it arrives; who sent it is only for the truth.
struct segment {
  segment_kind kind = segment_kind::syn;
  std::uint64_t connection = 0;
  bool to_server = true;
  instance_id from = no_instance;
  address from_address;
  address to_address;
  std::uint16_t to_port = 0;
  /// Whose initial sequence number it acknowledges: the server instance that the client shook hands with. A
  /// segment with another's is not accepted.
  instance_id server = no_instance;
};

}  // namespace tenure::sim
