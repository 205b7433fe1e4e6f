#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <future>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "sinks/file_writer.hpp"
#include "sinks/storage.hpp"
#include "sinks/whole_end.hpp"

namespace tenure::sinks {

namespace {

/// Of what is to be written: the fewer and larger the writes, the cheaper.
constexpr std::size_t worth_a_write = std::size_t{2} << 20;

class file_storage final : public storage {
 public:
  file_storage(int fd, const std::string& path, bool regular) : writer_(fd, path, regular) {}

  outcome<void> append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto to = room(1);
      const std::size_t count = bytes.copy(to.data(), to.size());
      if (auto done = take(count); !done) return done;
      bytes.remove_prefix(count);
    }
    return {};
  }

  std::span<char> room(std::size_t at_least) override {
    // What comes of this one is asked for again when the next one is full.
    if (next_.size() > 0 && next_.room().size() < at_least) static_cast<void>(hand_over());
    if (next_.room().size() < at_least) next_ = writer_.next(at_least);
    return next_.room();
  }

  outcome<void> take(std::size_t bytes) override {
    next_.add(bytes);
    return next_.size() < worth_a_write ? writer_.state() : hand_over();
  }

  outcome<void> sync() override {
    auto answer = std::make_shared<std::promise<outcome<bool>>>();
    auto when = answer->get_future();
    sync_then([answer](outcome<bool> how) { answer->set_value(std::move(how)); });
    if (auto how = when.get(); !how) return tl::unexpected(how.error());
    return {};
  }

  void sync_then(settled done) override {
    if (auto handed = hand_over(); !handed) return done(tl::unexpected(handed.error()));
    writer_.sync_then(std::move(done));
  }

  bool busy() const override { return writer_.busy(); }
  std::size_t unwritten() const override { return writer_.unwritten() + next_.size(); }
  std::size_t waiting() const override { return writer_.waiting(); }

 private:
  outcome<void> hand_over() { return writer_.hand_over(std::exchange(next_, {})); }

  file_writer writer_;
  piece next_;
};

/// The file's name is durable when its folder is.
outcome<void> sync_folder_of(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path();
  int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(system_failure("open the folder of", path, errno));
  int error = ::fsync(fd) == 0 ? 0 : errno;
  ::close(fd);
  if (error != 0) return tl::unexpected(system_failure("make durable the folder of", path, error));
  return {};
}

outcome<void> cut_torn_end(int fd, const std::string& path, off_t size, file_of what) {
  auto end = what == file_of::lines ? end_of_lines(fd, path, size) : end_of_blocks(fd, path, size);
  if (!end) return tl::unexpected(end.error());
  if (*end == size || ::ftruncate(fd, *end) == 0) return {};
  return tl::unexpected(system_failure("cut the torn end off", path, errno));
}

/// Ready to be appended to. @param fd closed when that fails, unless it is standard output
outcome<std::unique_ptr<storage>> prepare(int fd, const std::string& path, bool created, file_of what) {
  struct stat about {};
  outcome<void> ready;
  if (::fstat(fd, &about) != 0) ready = tl::unexpected(system_failure("read", path, errno));
  // Pipes, terminals and devices have nothing to cut off or to sync.
  const bool regular = S_ISREG(about.st_mode);
  if (ready && regular && fd != STDOUT_FILENO)
    ready = created ? sync_folder_of(path) : cut_torn_end(fd, path, about.st_size, what);
  if (ready) return std::make_unique<file_storage>(fd, path, regular);
  if (fd != STDOUT_FILENO) ::close(fd);
  return tl::unexpected(ready.error());
}

}  // namespace

outcome<std::unique_ptr<storage>> open_file(const std::string& path, file_of what) {
  if (path == "-") return prepare(STDOUT_FILENO, "standard output", false, what);
  constexpr int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOCTTY;
  constexpr mode_t mode = 0644;
  bool created = true;
  int fd = ::open(path.c_str(), flags | O_CREAT | O_EXCL, mode);
  if (fd < 0 && errno == EEXIST) {
    created = false;
    fd = ::open(path.c_str(), flags | O_CREAT, mode);
  }
  if (fd < 0) return tl::unexpected(system_failure("open", path, errno));
  return prepare(fd, path, created, what);
}

}  // namespace tenure::sinks
