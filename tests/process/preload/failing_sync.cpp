#include <cerrno>
#include <cstdlib>
#include <sys/syscall.h>
#include <unistd.h>

// Loaded before a process's libraries: once the file FAILING_SYNC is there, nothing becomes durable any more,
// as on a disk that has gone bad.
extern "C" int fdatasync(int fd) {
  const char* const gone_bad = std::getenv("FAILING_SYNC");
  if (gone_bad != nullptr && ::access(gone_bad, F_OK) == 0) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(SYS_fdatasync, fd));
}
