#include "cli/worker_pool.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

struct worker {
  std::size_t number = 0;
  pid_t pid = -1;
  int from = -1;
  std::string said;
};

bool write_all(int to, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(to, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// The crew at work, ended and buried whatever happens.
class crew {
 public:
  crew() = default;
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;
  ~crew() {
    for (auto& w : at_work_) {
      ::kill(w.pid, SIGKILL);
      ::close(w.from);
      ::waitpid(w.pid, nullptr, 0);
    }
  }

  std::size_t size() const { return at_work_.size(); }

  outcome<void> start(std::size_t number, const std::function<std::string(std::size_t)>& job) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
      return fail(trouble::refused, fmt::format("no pipe for another worker: {}", std::strerror(errno)));
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) {
      const int why = errno;
      ::close(ends[0]);
      ::close(ends[1]);
      return fail(trouble::refused, fmt::format("no process for another worker: {}", std::strerror(why)));
    }
    if (pid == 0) {
      // Whoever kills the one that asked wants no answer any more.
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      const bool said = ::getppid() == parent && write_all(ends[1], job(number));
      ::_exit(said ? 0 : 1);
    }
    ::close(ends[1]);
    at_work_.push_back({number, pid, ends[0], {}});
    return {};
  }

  /// Waits until somebody has finished. @pre size() > 0
  std::pair<std::size_t, outcome<std::string>> wait() {
    for (;;) {
      std::vector<pollfd> watched;
      for (const auto& w : at_work_) watched.push_back({w.from, POLLIN, 0});
      if (::poll(watched.data(), watched.size(), -1) < 0) continue;
      for (std::size_t i = 0; i < watched.size(); ++i) {
        if (watched[i].revents == 0) continue;
        char text[65536];
        const auto n = ::read(at_work_[i].from, text, sizeof text);
        if (n > 0) at_work_[i].said.append(text, static_cast<std::size_t>(n));
        if (n == 0) return bury(i);
      }
    }
  }

 private:
  std::pair<std::size_t, outcome<std::string>> bury(std::size_t which) {
    worker w = std::move(at_work_[which]);
    at_work_.erase(at_work_.begin() + static_cast<std::ptrdiff_t>(which));
    ::close(w.from);
    int status = 0;
    while (::waitpid(w.pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {w.number, std::move(w.said)};
    const auto how = WIFSIGNALED(status) ? fmt::format("ended by signal {} ({})", WTERMSIG(status),
                                                       ::strsignal(WTERMSIG(status)))
                                         : fmt::format("ended with {}", WEXITSTATUS(status));
    return {w.number, fail(trouble::check_failed, "the run's process " + how)};
  }

  std::vector<worker> at_work_;
};

}  // namespace

outcome<void> worker_pool::run(
    std::size_t jobs, const std::function<std::string(std::size_t)>& job,
    const std::function<outcome<void>(std::size_t, outcome<std::string>)>& done) const {
  const std::size_t most = width != 0 ? width : std::max(1U, std::thread::hardware_concurrency());
  // What is buffered here would be written by each child again.
  std::fflush(nullptr);
  crew all;
  std::size_t next = 0;
  while (next < jobs || all.size() > 0) {
    while (next < jobs && all.size() < most)
      if (auto started = all.start(next++, job); !started) return started;
    auto [number, result] = all.wait();
    if (auto heard = done(number, std::move(result)); !heard) return heard;
  }
  return {};
}

}  // namespace tenure::cli
