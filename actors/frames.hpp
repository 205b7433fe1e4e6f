#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "capnp/messages.hpp"
#include "ownership/time.hpp"
#include "transport/transport.hpp"

namespace tenure::actors {

/// A frame with the time at which the transport handed it over, which a busy actor would only learn too late:
/// the bracket of a pong is as tight as this stamp.
struct received_frame {
  transport::frame bytes;
  nanos at = 0;
};
using received_frame_ptr = std::shared_ptr<const received_frame>;

/// One connection of an agent that said hello.
struct arrival {
  transport::link_ptr link;
  wire::hello hello;
  /// Of frames that the session has not looked at yet, as inbox_cost has it.
  std::atomic<std::size_t> inbox_bytes{0};
};
using arrival_ptr = std::shared_ptr<arrival>;

/// One connection of another node that said hello.
struct visit {
  transport::link_ptr link;
  wire::peer_hello hello;
  std::atomic<std::size_t> inbox_bytes{0};  ///< as an arrival's
};
using visit_ptr = std::shared_ptr<visit>;

/// What a frame takes while it waits in a mailbox: small ones cost more than their bytes.
inline std::size_t inbox_cost(const transport::frame& f) {
  return f.size() * sizeof(f[0]) + 256;
}

}  // namespace tenure::actors
