#pragma once

#include "ownership/time.hpp"

namespace tenure {

/// About how far apart the heartbeats of most tenancies are: a running median of how far evidence extends
/// what is known, at first what agents have by default. Answers never depend on it, only when it is worth
/// asking again.
class heartbeat_pace {
 public:
  /// @param more by which evidence moved the `until` of a known tenancy; what is not positive is ignored
  /// @param until to which it moved
  void extended_by(nanos more, nanos until) {
    // Few are looked at, 64 a heartbeat, and none moves it much: all agents together say everything anew when
    // a node has started, and what that extends is no heartbeat. It follows another pace within minutes.
    if (more <= 0 || (until < next_look_ && saturating_sub(next_look_, until) < typical_)) return;
    next_look_ = saturating_add(until, typical_ / 64);
    const nanos step = typical_ / 256 + 1;
    if (more > typical_)
      typical_ = saturating_add(typical_, step);
    else if (more < typical_)
      typical_ -= step;
  }
  /// Positive.
  nanos typical() const { return typical_; }

 private:
  nanos typical_ = 10 * second;
  nanos next_look_ = time_min;
};

}  // namespace tenure
