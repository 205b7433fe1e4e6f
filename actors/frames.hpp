#pragma once

#include <memory>

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

}  // namespace tenure::actors
