#include "sinks/file_writer.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
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
/// A disk or a pipe that takes longer than this does not keep the process from ending.
constexpr auto patience = std::chrono::seconds{2};

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
    offset = end.offset();
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
  std::deque<job> jobs;     // while the thread works, the first one is the thread's
  std::size_t syncs = 0;    // among them
  std::vector<piece> free;  // to be filled again
  std::optional<failure> broken;
  bool full = false;   // at the last try
  bool ended = false;  // nothing more is to be done
  bool gone = false;   // the thread is
  // As it was when the thread began what it does:
  std::size_t in_jobs = 0;  // bytes
  std::size_t kept = 0;     // by the end
  std::size_t offset = 0;   // in a block, of what comes after those

  void run();

 private:
  int work_off(job& first);
  std::vector<settled> take_syncs();
  void take_first(std::unique_lock<std::mutex>& lock);

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
    if (error == EAGAIN && !regular) {
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

/// Wherever they stand.
std::vector<settled> file_writer::core::take_syncs() {
  std::vector<settled> taken;
  std::deque<job> left;
  for (auto& j : jobs) {
    if (j.done)
      taken.push_back(std::move(j.done));
    else
      left.push_back(std::move(j));
  }
  jobs = std::move(left);
  syncs = 0;
  return taken;
}

/// Does the first job, and lets go of the lock while it does, and while it tells of it.
void file_writer::core::take_first(std::unique_lock<std::mutex>& lock) {
  auto& first = jobs.front();  // others come behind it
  const std::size_t before = first.bytes.size();
  lock.unlock();
  const int error = work_off(first);
  lock.lock();
  in_jobs -= before - first.bytes.size();
  kept = end.kept();
  offset = end.offset();
  full = regular && (error == ENOSPC || error == EDQUOT);
  if (error != 0 && !full && !broken) broken = system_failure("write to", path, error);
  if (ended) return;
  std::vector<settled> told;
  outcome<bool> how = !full;
  if (broken) {
    how = tl::unexpected(*broken);
    told = take_syncs();
    jobs.clear();  // what was not written stays so
    in_jobs = 0;
  } else if (full) {
    told = take_syncs();
  } else {
    if (first.done) {
      told.push_back(std::move(first.done));
      --syncs;
    } else if (free.size() < free_pieces_kept && first.bytes.capacity() < 2 * piece_bytes) {
      free.push_back(std::move(first.bytes));
    }
    jobs.pop_front();
  }
  lock.unlock();
  for (auto& done : told) std::exchange(done, {})(how);
  lock.lock();
}

void file_writer::core::run() {
  ::pthread_setname_np(::pthread_self(), "output");
  std::unique_lock lock(mutex);
  for (;;) {
    // A full disk is tried again when somebody asks.
    changed.wait(lock, [&] { return ended || (!jobs.empty() && (!full || syncs > 0)); });
    if (ended) break;
    take_first(lock);
  }
  gone = true;
  changed.notify_all();
}

file_writer::file_writer(int fd, std::string path, bool regular)
    : core_(std::make_shared<core>(fd, std::move(path), regular)) {
  thread_ = std::thread([c = core_] { c->run(); });
}

file_writer::~file_writer() {
  std::unique_lock lock(core_->mutex);
  core_->ended = true;
  core_->changed.notify_all();
  // Who was just told that a sync is done may end it all, on the very thread that told; and a pipe that
  // nobody reads keeps its writer for ever. What the thread still needs is its own, and it calls nobody any
  // more.
  const bool own = thread_.get_id() == std::this_thread::get_id();
  const bool gone = !own && core_->changed.wait_for(lock, patience, [this] { return core_->gone; });
  lock.unlock();
  if (gone)
    thread_.join();
  else
    thread_.detach();
}

piece file_writer::next(std::size_t room) {
  piece p;
  std::unique_lock lock(core_->mutex);
  const std::size_t offset = (core_->offset + core_->in_jobs) % piece::block;
  if (room <= piece_bytes && !core_->free.empty()) {
    p = std::move(core_->free.back());
    core_->free.pop_back();
  }
  lock.unlock();
  if (p.capacity() == 0) p = piece(std::max(room, piece_bytes));
  p.begin_at(offset);
  return p;
}

outcome<void> file_writer::state() const {
  const std::lock_guard lock(core_->mutex);
  if (core_->broken) return tl::unexpected(*core_->broken);
  return {};
}

outcome<void> file_writer::hand_over(piece p) {
  const std::lock_guard lock(core_->mutex);
  if (core_->broken) return tl::unexpected(*core_->broken);
  if (p.size() == 0) return {};
  core_->in_jobs += p.size();
  core_->jobs.push_back({std::move(p), {}});
  core_->changed.notify_all();
  return {};
}

void file_writer::sync_then(settled done) {
  const std::lock_guard lock(core_->mutex);
  core_->jobs.push_back({piece(), std::move(done)});
  ++core_->syncs;
  core_->changed.notify_all();
}

std::size_t file_writer::waiting() const {
  const std::lock_guard lock(core_->mutex);
  return core_->full ? core_->in_jobs + core_->kept : 0;
}

std::size_t file_writer::unwritten() const {
  const std::lock_guard lock(core_->mutex);
  return core_->in_jobs + core_->kept;
}

bool file_writer::busy() const {
  const std::lock_guard lock(core_->mutex);
  return core_->in_jobs >= enough;
}

}  // namespace tenure::sinks
