#include <cerrno>
#include <cstdlib>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

// Loaded before a process's libraries: its disk takes SYNC_TAKES milliseconds longer for each sync, and once
// the file FAILING_SYNC is there, nothing becomes durable any more, as on a disk that has gone bad.
extern "C" int fdatasync(int fd) {
  if (const char* const takes = std::getenv("SYNC_TAKES")) ::poll(nullptr, 0, std::atoi(takes));
  const char* const gone_bad = std::getenv("FAILING_SYNC");
  if (gone_bad != nullptr && ::access(gone_bad, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
