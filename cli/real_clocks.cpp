#include "cli/real_clocks.hpp"

#include <ctime>

namespace tenure::cli {
namespace {

nanos read(clockid_t clock) {
  timespec t{};
  ::clock_gettime(clock, &t);
  return static_cast<nanos>(t.tv_sec) * second + t.tv_nsec;
}

}  // namespace

nanos real_clocks::now() const {
  return read(CLOCK_BOOTTIME);
}
nanos real_clocks::to_utc() const {
  return read(CLOCK_REALTIME) - read(CLOCK_BOOTTIME);
}

nanos real_clocks::thread_cpu() const {
  return read(CLOCK_THREAD_CPUTIME_ID);
}

}  // namespace tenure::cli
