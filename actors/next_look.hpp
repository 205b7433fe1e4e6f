#pragma once

#include <algorithm>
#include <optional>

#include "ownership/time.hpp"

namespace tenure::actors {

/// When somebody looks again who cannot take a timer back: an earlier wish takes the place of a later one,
/// whose timer still comes: it serves when that time is wished for again, and is else not to be followed.
/// One thread.
class next_look {
 public:
  /// @returns whether a timer is to be set for it
  bool wish(nanos at) {
    if (at_ && *at_ <= at) return false;
    at_ = at;
    if (latest_ == at) return false;
    latest_ = std::max(latest_, at);
    return true;
  }

  /// A timer came. @returns whether it is the one that counts: then it is time to look, and to wish anew
  bool came(nanos now) {
    if (latest_ <= now) latest_ = time_min;
    if (!at_ || *at_ > now) return false;
    at_.reset();
    return true;
  }

 private:
  std::optional<nanos> at_;
  nanos latest_ = time_min;  ///< what the latest of the timers that have not come is set for; time_min: none
};

}  // namespace tenure::actors
