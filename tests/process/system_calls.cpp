#include "tests/process/system_calls.hpp"

#include <filesystem>
#include <fstream>
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace tenure::testing {

system_calls::system_calls(pid_t process) {
  perf_event_attr every{};
  every.size = sizeof every;
  every.type = PERF_TYPE_TRACEPOINT;
  if (!(std::ifstream("/sys/kernel/tracing/events/raw_syscalls/sys_enter/id") >> every.config)) return;
  std::error_code ignored;
  for (const auto& thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", ignored)) {
    const auto id = static_cast<pid_t>(std::stoi(thread.path().filename().string()));
    const auto fd = ::syscall(SYS_perf_event_open, &every, id, -1, -1, PERF_FLAG_FD_CLOEXEC);
    if (fd >= 0) threads_.push_back(static_cast<int>(fd));
    all_ = all_ && fd >= 0;
  }
}

system_calls::~system_calls() {
  for (const int fd : threads_) ::close(fd);
}

std::uint64_t system_calls::so_far() const {
  std::uint64_t all = 0;
  for (const int fd : threads_)
    if (std::uint64_t one = 0; ::read(fd, &one, sizeof one) == sizeof one) all += one;
  return all;
}

}  // namespace tenure::testing
