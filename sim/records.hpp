#pragma once

#include <cstdint>
#include <vector>

#include "ownership/flow.hpp"
#include "sim/truth.hpp"

namespace tenure::sim {

/// What is true of a socket that ended: the answer that its flow should get. `flow::connection` is its place
/// in the list of all records, counted from 1.
struct socket_record {
  instance_id near = no_instance;
  /// The instance whose segments were accepted; no_instance when none ever was (a failed connect, UDP).
  instance_id far = no_instance;
  address far_address;
  std::uint16_t far_port = 0;
  tenure::reporter reporter = reporter::source;
  nanos opened = 0;  ///< true time
  nanos closed = 0;  ///< true time
  /// Of the agent that was handed it; 0 when none was.
  std::uint64_t incarnation = 0;
  bool udp = false;
};

using socket_records = std::vector<socket_record>;

}  // namespace tenure::sim
