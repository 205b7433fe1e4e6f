#pragma once

#include "actors/clocks.hpp"
#include "agent/clock.hpp"

namespace tenure::cli {

/// The machine's clocks, for both halves: CLOCK_BOOTTIME to judge by, CLOCK_REALTIME only to write records
/// with.
class real_clocks final : public actors::node_clock, public agent::boot_clock {
 public:
  nanos now() const override;
  nanos to_utc() const override;
  nanos thread_cpu() const override;
};

}  // namespace tenure::cli
