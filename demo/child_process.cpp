#include "demo/child_process.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "demo/unique_fd.hpp"

namespace tenure::demo {

outcome<std::unique_ptr<child_process>> child_process::start(const std::vector<std::string>& arguments,
                                                             const std::string& words) {
  const unique_fd out{::open(words.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
  if (!out) return fail(trouble::refused, fmt::format("cannot write {}: {}", words, std::strerror(errno)));
  std::vector<char*> raw;
  for (const auto& a : arguments) raw.push_back(const_cast<char*>(a.c_str()));
  raw.push_back(nullptr);
  const pid_t demo = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(trouble::refused, fmt::format("cannot fork: {}", std::strerror(errno)));
  if (pid == 0) {
    // Only what is safe between fork and exec. It ends with the demo, however that ends; Ctrl-C is the demo's
    // to hear.
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != demo) ::_exit(3);
    ::setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(out.get(), STDOUT_FILENO);
    ::dup2(out.get(), STDERR_FILENO);
    ::execv(raw[0], raw.data());
    ::_exit(127);
  }
  return std::unique_ptr<child_process>(new child_process(pid));
}

child_process::~child_process() {
  if (code_) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> child_process::ended() {
  int status = 0;
  if (!code_ && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_;
}

void child_process::ask_to_end() {
  if (!code_) ::kill(pid_, SIGTERM);
}

}  // namespace tenure::demo
