#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// Loaded before a process's libraries: its wall clock, and nothing else, is off by as many seconds as the
// file STEPPED_CLOCK holds at the moment (eight bytes), as though an administrator had set it.
namespace {

std::int64_t seconds_off() {
  static const volatile std::int64_t* const off = [] {
    const char* name = std::getenv("STEPPED_CLOCK");
    const int fd = name == nullptr ? -1 : ::open(name, O_RDONLY | O_CLOEXEC);
    void* at = fd < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) ::close(fd);
    return at == MAP_FAILED ? nullptr : static_cast<const volatile std::int64_t*>(at);
  }();
  return off == nullptr ? 0 : *off;
}

}  // namespace

extern "C" int clock_gettime(clockid_t which, timespec* t) noexcept {
  const auto done = static_cast<int>(::syscall(SYS_clock_gettime, which, t));
  if (done == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) t->tv_sec += seconds_off();
  return done;
}
