#pragma once

#include <cstdint>

#include "agent/jiffy_clock.hpp"
#include "agent/observed_flow.hpp"
#include "ownership/time.hpp"

struct tenure_socket_event;

namespace tenure::agent {

/// From the kernel's event about a socket to a flow with the stamps that the rule judges by. One thread.
///
/// What is not exact is given on its safe side, so that the error stays small: `opened` may be too early (it
/// is time_min where nothing is known), `last_received` too early by two ticks; `transit` is four smoothed
/// round trips, at least the declared floor.
class flow_builder {
 public:
  /// How far the kernel's fast boot-time stamps may be off while its clock is being adjusted.
  static constexpr nanos stamp_error = microsecond;

  flow_builder(jiffy_clock clock, nanos transit_floor) : clock_(clock), transit_floor_(transit_floor) {}

  observed_flow build(const tenure_socket_event& event);

 private:
  flow_times times_of(const tenure_socket_event& event) const;

  jiffy_clock clock_;
  nanos transit_floor_;
  std::uint64_t connections_ = 0;
};

}  // namespace tenure::agent
