#include "demo/instance_process.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <utility>

#include <fmt/format.h>

#include "demo/clock.hpp"

namespace tenure::demo {
namespace {

/// Starts the program from a thread that is in the namespace: a process is born where its parent thread is.
int spawn_within(const network_namespace& where, const instance_program& program, int control, int memory,
                 pid_t& pid) {
  std::vector<char*> arguments;
  for (const auto& a : program.arguments) arguments.push_back(const_cast<char*>(a.c_str()));
  arguments.push_back(nullptr);
  std::array<char*, 1> environment{nullptr};

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, control, instance_program::control);
  ::posix_spawn_file_actions_adddup2(&actions, memory, instance_program::directory);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A group of its own: Ctrl-C at the terminal is for the demo, which ends its fleet in order.
  // Nor does it get the signals that the demo blocks for itself.
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  int error = ENETUNREACH;
  where.within([&] {
    error = ::posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environment.data());
  });
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

outcome<std::unique_ptr<instance_process>> instance_process::start(const instance_program& program,
                                                                   std::unique_ptr<container_network> network,
                                                                   const directory& d) {
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail(trouble::refused, fmt::format("no socket pair for an instance: {}", std::strerror(errno)));
  }
  unique_fd ours{pair[0]};
  // Above the numbers that they get in the child, so that neither overwrites the other there.
  const unique_fd low{pair[1]};
  const unique_fd theirs{::fcntl(low.get(), F_DUPFD_CLOEXEC, 16)};
  const unique_fd memory{::fcntl(d.memory(), F_DUPFD_CLOEXEC, 16)};
  pid_t pid = -1;
  const int error = spawn_within(network->inside, program, theirs.get(), memory.get(), pid);
  if (error != 0) {
    return fail(trouble::refused,
                fmt::format("cannot start {}: {}", program.arguments[0], std::strerror(error)));
  }
  return std::unique_ptr<instance_process>(new instance_process(std::move(network), pid, std::move(ours)));
}

instance_process::~instance_process() {
  kill();
}

void instance_process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

std::string instance_process::how_it_ended() {
  int status = 0;
  const nanos until = boot_time() + second;
  while (pid_ > 0 && ::waitpid(pid_, &status, WNOHANG) != pid_) {
    if (boot_time() > until) return "it still runs";
    pause_for(millisecond);
  }
  if (pid_ <= 0) return "it was killed";
  pid_ = -1;
  return WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                             : fmt::format("exit code {}", WEXITSTATUS(status));
}

bool instance_process::command(const instance_command& c) {
  return ::send(control_.get(), &c, sizeof(c), MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(sizeof(c));
}

bool instance_process::listen(const std::function<void(const truth_message&)>& heard) {
  truth_message m;
  for (;;) {
    const ssize_t size = ::recv(control_.get(), &m, sizeof(m), MSG_DONTWAIT);
    if (size == static_cast<ssize_t>(sizeof(m))) {
      heard(m);
    } else if (size < 0 && errno == EINTR) {
      continue;
    } else {
      return size < 0 && errno == EAGAIN;
    }
  }
}

bool instance_process::wait_for(truth_message::what kind, int bound_ms,
                                const std::function<void(const truth_message&)>& heard) {
  bool found = false;
  const nanos until = boot_time() + bound_ms * millisecond;
  while (!found) {
    pollfd p{control_.get(), POLLIN, 0};
    const nanos left = until - boot_time();
    if (left <= 0 || ::poll(&p, 1, static_cast<int>(left / millisecond) + 1) <= 0) return false;
    const bool alive = listen([&](const truth_message& m) {
      found = found || m.kind == kind;
      heard(m);
    });
    if (!alive) break;
  }
  return found;
}

}  // namespace tenure::demo
