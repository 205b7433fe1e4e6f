#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "sinks/file_end.hpp"
#include "sinks/storage.hpp"
#include "sinks/whole_end.hpp"

namespace tenure::sinks {

namespace {

/// Of what is kept to be written: the fewer and larger the writes, the cheaper.
constexpr std::size_t worth_a_write = 960U << 10;

failure system_failure(const std::string& what, const std::string& path, int error) {
  // A path that does not lead to a file is the caller's to correct; the rest is the system's.
  auto whose = error == ENOENT || error == EISDIR || error == ENOTDIR || error == ENAMETOOLONG
                   ? trouble::usage
                   : trouble::refused;
  return {whose, "cannot " + what + " " + path + ": " + std::strerror(error)};
}

class file_storage final : public storage {
 public:
  /// @param fd is closed at the end, unless it is standard output.
  file_storage(int fd, std::string path) : fd_(fd), end_(fd), path_(std::move(path)) {}
  file_storage(const file_storage&) = delete;
  file_storage& operator=(const file_storage&) = delete;
  ~file_storage() override {
    if (fd_ > STDERR_FILENO) ::close(fd_);
  }

  outcome<void> prepare(bool created, file_of what) {
    struct stat about {};
    if (::fstat(fd_, &about) != 0) return tl::unexpected(system_failure("read", path_, errno));
    // Pipes, terminals and devices have nothing to cut off or to sync.
    regular_ = S_ISREG(about.st_mode);
    if (!regular_ || fd_ == STDOUT_FILENO) return {};
    end_.bypass_cache();
    if (created) return sync_folder();
    return cut_torn_end(about.st_size, what);
  }

  outcome<void> append(std::string_view bytes) override {
    if (auto done = offer_waiting(); !done) return done;
    if (waiting_.empty()) {
      auto taken = write(bytes);
      if (!taken) return tl::unexpected(taken.error());
      bytes.remove_prefix(*taken);
    }
    waiting_ += bytes;
    return {};
  }

  std::span<char> room(std::size_t at_least) override {
    return end_.lends() ? end_.room(at_least) : storage::room(at_least);
  }

  outcome<void> take(std::size_t bytes) override {
    if (!end_.lends()) return storage::take(bytes);
    end_.keep(bytes);
    if (end_.kept().size() < worth_a_write) return {};
    // What does not fill a block stays: by way of the page cache it would cost as much as all the others.
    return offer_waiting(worth_a_write);
  }

  outcome<void> sync() override {
    if (auto done = offer_waiting(); !done) return done;
    if (!waiting_.empty()) return {};
    if (regular_ && ::fdatasync(fd_) != 0) return breaks("make durable", errno);
    return {};
  }

  std::size_t waiting() const override { return waiting_.size(); }

 private:
  /// Final: after a failed fsync the kernel may have dropped the pages that it could not write, and a second
  /// call would say that all is well.
  outcome<void> breaks(const char* what, int error) {
    broken_ = system_failure(what, path_, error);
    return tl::unexpected(*broken_);
  }

  /// A write failed. @returns whether to try again now; not, when the disk is full, or our share of it
  outcome<bool> tries_again(int error) {
    if (error == EINTR) return true;
    if (error == EAGAIN) {
      pollfd writable{fd_, POLLOUT, 0};  // a terminal or pipe that someone else made non-blocking
      ::poll(&writable, 1, -1);
      return true;
    }
    if (regular_ && (error == ENOSPC || error == EDQUOT)) return false;
    return tl::unexpected(breaks("write to", error).error());
  }

  /// @returns how much of it was written: less than all when the disk is full
  outcome<std::size_t> write(std::string_view bytes) {
    std::size_t taken = 0;
    while (taken < bytes.size()) {
      const auto written = end_.write(bytes.data() + taken, bytes.size() - taken);
      if (written >= 0) {
        taken += static_cast<std::size_t>(written);
        continue;
      }
      const auto again = tries_again(errno);
      if (!again) return tl::unexpected(again.error());
      if (!*again) break;
    }
    return taken;
  }

  /// Writes what waits and what is kept, or has it wait. @param enough so much, and more, is not to be kept
  outcome<void> offer_waiting(std::size_t enough = 1) {
    if (broken_) return tl::unexpected(*broken_);
    while (waiting_.empty() && end_.kept().size() >= enough) {
      if (end_.write_kept() >= 0) continue;
      const auto again = tries_again(errno);
      if (!again) return tl::unexpected(again.error());
      if (!*again) break;
    }
    if (waiting_.empty() && end_.kept().size() < enough) return {};
    waiting_ += end_.kept();
    end_.drop_kept();
    auto taken = write(waiting_);
    if (!taken) return tl::unexpected(taken.error());
    waiting_.erase(0, *taken);
    return {};
  }

  /// The file's name is durable when its folder is.
  outcome<void> sync_folder() {
    auto folder = std::filesystem::path(path_).parent_path();
    int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return tl::unexpected(system_failure("open the folder of", path_, errno));
    int error = ::fsync(fd) == 0 ? 0 : errno;
    ::close(fd);
    if (error != 0) return tl::unexpected(system_failure("make durable the folder of", path_, error));
    return {};
  }

  outcome<void> cut_torn_end(off_t size, file_of what) {
    auto end = what == file_of::lines ? end_of_lines(fd_, path_, size) : end_of_blocks(fd_, path_, size);
    if (!end) return tl::unexpected(end.error());
    if (*end == size) return {};
    if (::ftruncate(fd_, *end) != 0)
      return tl::unexpected(system_failure("cut the torn end off", path_, errno));
    return {};
  }

  int fd_;
  file_end end_;
  std::string path_;
  bool regular_ = false;
  std::string waiting_;  // for room
  std::optional<failure> broken_;
};

}  // namespace

outcome<std::unique_ptr<storage>> open_file(const std::string& path, file_of what) {
  if (path == "-") {
    auto out = std::make_unique<file_storage>(STDOUT_FILENO, "standard output");
    if (auto ready = out->prepare(false, what); !ready) return tl::unexpected(ready.error());
    return out;
  }
  constexpr int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY;
  constexpr mode_t mode = 0644;
  bool created = true;
  int fd = ::open(path.c_str(), flags | O_CREAT | O_EXCL, mode);
  if (fd < 0 && errno == EEXIST) {
    created = false;
    fd = ::open(path.c_str(), flags | O_CREAT, mode);
  }
  if (fd < 0) return tl::unexpected(system_failure("open", path, errno));
  auto out = std::make_unique<file_storage>(fd, path);
  if (auto ready = out->prepare(created, what); !ready) return tl::unexpected(ready.error());
  return out;
}

}  // namespace tenure::sinks
