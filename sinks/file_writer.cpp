#include "sinks/file_writer.hpp"

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "sinks/file_end.hpp"

namespace tenure::sinks {

namespace {

/// The fewer and larger the writes, the cheaper; two of them fill up while one is under way.
constexpr std::size_t piece_bytes = (std::size_t{4} << 20) - 3 * piece::block;
/// So much is handed over before whoever asks is told to wait.
constexpr std::size_t enough = std::size_t{16} << 20;
constexpr std::size_t free_pieces_kept = 4;

/// To write a piece, or to make durable what came before.
struct job {
  piece bytes;
  settled done;  // of a sync
};

}  // namespace

failure system_failure(const std::string& what, const std::string& path, int error) {
  // A path that does not lead to a file is the caller's to correct; the rest is the system's.
  auto whose = error == ENOENT || error == EISDIR || error == ENOTDIR || error == ENAMETOOLONG
                   ? trouble::usage
                   : trouble::refused;
  return {whose, "cannot " + what + " " + path + ": " + std::strerror(error)};
}

struct file_writer::core {
  core(int file, std::string where, bool is_regular)
      : fd(file), path(std::move(where)), regular(is_regular), end(file) {
    if (regular && fd != STDOUT_FILENO) end.bypass_cache();
  }
  core(const core&) = delete;
  core& operator=(const core&) = delete;
  ~core() {
    if (fd > STDERR_FILENO) ::close(fd);
  }

  const int fd;
  const std::string path;
  const bool regular;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<job> jobs;
  std::size_t syncs = 0;    // among the jobs
  std::vector<piece> free;  // to be filled again
  std::optional<failure> broken;
  bool ended = false;
  bool full = false;          // at the last try
  std::size_t misplaced = 0;  // so far behind where the caller thinks do bytes lie in their block
  std::atomic<std::size_t> unwritten{0};

  void run();

 private:
  int work_off(job& first);
  void settle(std::unique_lock<std::mutex>& lock, const outcome<bool>& how, bool all);

  file_end end;  // the thread's alone
};

/// @returns 0 or the errno that stops it
int file_writer::core::work_off(job& first) {
  for (;;) {
    int error = first.done ? end.write_kept() : end.write(first.bytes);
    if (error == 0 && first.done && regular && ::fdatasync(fd) != 0) {
      // Final: after a failed fsync the kernel may have dropped the pages that it could not write, and a
      // second call would say that all is well.
      const std::lock_guard lock(mutex);
      broken = system_failure("make durable", path, errno);
      return 0;
    }
    if (error == EAGAIN) {
      pollfd writable{fd, POLLOUT, 0};  // a terminal or pipe that someone else made non-blocking
      constexpr int look_up = 100;      // ms, for the end
      ::poll(&writable, 1, look_up);
      const std::lock_guard lock(mutex);
      if (ended) return 0;
    } else if (error != EINTR) {
      return error;
    }
  }
}

/// Answers syncs: the first job, or all of them wherever they stand.
void file_writer::core::settle(std::unique_lock<std::mutex>& lock, const outcome<bool>& how, bool all) {
  std::vector<settled> answered;
  for (auto j = jobs.begin(); j != jobs.end() && (all || answered.empty());) {
    if (j->done) {
      answered.push_back(std::move(j->done));
      j = jobs.erase(j);
    } else {
      ++j;
    }
  }
  syncs -= answered.size();
  lock.unlock();
  for (auto& done : answered) std::exchange(done, {})(how);
  lock.lock();
}

void file_writer::core::run() {
  ::pthread_setname_np(::pthread_self(), "output");
  std::unique_lock lock(mutex);
  for (;;) {
    // A full disk is tried again when somebody asks.
    changed.wait(lock, [&] { return ended || (!jobs.empty() && (!full || syncs > 0)); });
    if (ended) return;
    if (broken) {
      settle(lock, tl::unexpected(*broken), true);
      jobs.clear();  // what was not written stays so
      unwritten = 0;
      continue;
    }
    auto& first = jobs.front();  // others come behind it
    const bool is_sync = static_cast<bool>(first.done);
    const std::size_t before = first.bytes.size() + end.kept();
    lock.unlock();
    const int error = work_off(first);
    lock.lock();
    unwritten -= before - first.bytes.size() - end.kept();
    full = regular && (error == ENOSPC || error == EDQUOT);
    if (error != 0 && !full && !broken) broken = system_failure("write to", path, error);
    if (broken || ended) continue;
    if (full) {
      settle(lock, false, true);
    } else if (is_sync) {
      settle(lock, true, false);
    } else {
      if (free.size() < free_pieces_kept && first.bytes.capacity() < 2 * piece_bytes)
        free.push_back(std::move(first.bytes));
      jobs.pop_front();
    }
  }
}

file_writer::file_writer(int fd, std::string path, bool regular, std::size_t size)
    : core_(std::make_shared<core>(fd, std::move(path), regular)), handed_over_(size) {
  thread_ = std::thread([c = core_] { c->run(); });
}

file_writer::~file_writer() {
  {
    const std::lock_guard lock(core_->mutex);
    core_->ended = true;
  }
  core_->changed.notify_one();
  // Who was just told that a sync is done may end it all, on the very thread that told.
  if (thread_.get_id() == std::this_thread::get_id())
    thread_.detach();
  else
    thread_.join();
}

piece file_writer::next(std::size_t room) {
  piece p;
  {
    const std::lock_guard lock(core_->mutex);
    if (room <= piece_bytes && !core_->free.empty()) {
      p = std::move(core_->free.back());
      core_->free.pop_back();
    }
  }
  if (p.capacity() == 0) p = piece(std::max(room, piece_bytes));
  p.begin_at(handed_over_ % piece::block);
  return p;
}

outcome<void> file_writer::state() const {
  const std::lock_guard lock(core_->mutex);
  if (core_->broken) return tl::unexpected(*core_->broken);
  return {};
}

outcome<void> file_writer::hand_over(piece p) {
  {
    const std::lock_guard lock(core_->mutex);
    if (core_->broken) return tl::unexpected(*core_->broken);
    if (p.size() == 0) return {};
    handed_over_ += p.size();
    core_->unwritten += p.size();
    core_->jobs.push_back({std::move(p), {}});
  }
  core_->changed.notify_one();
  return {};
}

void file_writer::sync_then(settled done) {
  {
    const std::lock_guard lock(core_->mutex);
    core_->jobs.push_back({piece(), std::move(done)});
    ++core_->syncs;
  }
  core_->changed.notify_one();
}

std::size_t file_writer::waiting() const {
  const std::lock_guard lock(core_->mutex);
  return core_->full ? core_->unwritten.load() : 0;
}

bool file_writer::busy() const {
  return core_->unwritten >= enough;
}

}  // namespace tenure::sinks
