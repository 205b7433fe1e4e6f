#include "demo/clock.hpp"

#include <ctime>

namespace tenure::demo {
namespace {

nanos read(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return nanos{t.tv_sec} * second + t.tv_nsec;
}

}  // namespace

nanos boot_time() {
  return read(CLOCK_BOOTTIME);
}

nanos boot_to_utc() {
  // Between two readings of the boot clock, so that being interrupted in between costs half of that and no
  // more.
  const nanos before = boot_time();
  const nanos utc = read(CLOCK_REALTIME);
  const nanos after = boot_time();
  return utc - (before + (after - before) / 2);
}

void pause_for(nanos n) {
  const timespec t{n / second, n % second};
  ::clock_nanosleep(CLOCK_MONOTONIC, 0, &t, nullptr);
}

}  // namespace tenure::demo
