#pragma once

#include "ownership/time.hpp"

namespace tenure::demo {

/// CLOCK_BOOTTIME of this machine: what the fleet's processes and the fleet itself stamp with. One kernel,
/// one clock.
nanos boot_time();

/// What to add to a stamp of boot_time() to have UTC, nanoseconds since 1970, now.
nanos boot_to_utc();

/// Lets others work for that long: the demo waits for processes that do not say when they are ready.
void pause_for(nanos n);

}  // namespace tenure::demo
