#include "cli/ending.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ownership/invariant.hpp"

namespace tenure::cli {
namespace {

sigset_t end_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

ending::ending() {
  const sigset_t set = end_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A broken pipe is a failure of the write that met it.
  std::signal(SIGPIPE, SIG_IGN);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC);
  failures_ = ::eventfd(0, EFD_CLOEXEC);
  invariant(signals_ >= 0 && failures_ >= 0, "the kernel gives a signalfd and an eventfd");
}

ending::~ending() {
  ::close(signals_);
  ::close(failures_);
}

void ending::part_failed() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(failures_, &one, sizeof one);
}

bool ending::wait() {
  std::array<pollfd, 2> fds{pollfd{signals_, POLLIN, 0}, pollfd{failures_, POLLIN, 0}};
  while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
  const sigset_t set = end_signals();
  signalfd_siginfo info{};
  // The first one is taken, so that unblocking does not deliver it again.
  if ((fds[0].revents & POLLIN) != 0) {
    [[maybe_unused]] const auto got = ::read(signals_, &info, sizeof info);
  }
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return (fds[1].revents & POLLIN) == 0;
}

}  // namespace tenure::cli
