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
  sigaddset(&set, SIGHUP);
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
  changes_ = ::eventfd(0, EFD_CLOEXEC);
  requests_ = ::eventfd(0, EFD_CLOEXEC);
  invariant(signals_ >= 0 && failures_ >= 0 && changes_ >= 0 && requests_ >= 0,
            "the kernel gives a signalfd and eventfds");
}

ending::~ending() {
  ::close(signals_);
  ::close(failures_);
  ::close(changes_);
  ::close(requests_);
}

void ending::part_failed() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(failures_, &one, sizeof one);
}

void ending::ask_to_end() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(requests_, &one, sizeof one);
}

void ending::settings_changed() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(changes_, &one, sizeof one);
}

bool ending::wait(const std::function<void()>& read_again) {
  std::array<pollfd, 4> fds{pollfd{signals_, POLLIN, 0}, pollfd{failures_, POLLIN, 0},
                            pollfd{changes_, POLLIN, 0}, pollfd{requests_, POLLIN, 0}};
  while (true) {
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // EINTR
    if (((fds[1].revents | fds[3].revents) & POLLIN) != 0) break;
    if ((fds[2].revents & POLLIN) != 0) {
      std::uint64_t many = 0;
      [[maybe_unused]] const auto got = ::read(changes_, &many, sizeof many);
      read_again();
    }
    if ((fds[0].revents & POLLIN) == 0) continue;
    // It is taken, so that unblocking does not deliver it again.
    signalfd_siginfo info{};
    [[maybe_unused]] const auto got = ::read(signals_, &info, sizeof info);
    if (info.ssi_signo != SIGHUP || !read_again) break;
    read_again();
  }
  const sigset_t set = end_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  return (fds[1].revents & POLLIN) == 0;
}

}  // namespace tenure::cli
