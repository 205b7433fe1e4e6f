#include "agent/file_watch.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <system_error>
#include <thread>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "agent/file_descriptor.hpp"

namespace tenure::agent {
namespace {

class inotify_watch final : public file_watch {
 public:
  inotify_watch(file_descriptor notes, file_descriptor wake, std::function<void()> changed)
      : notes_(std::move(notes)), wake_(std::move(wake)), changed_(std::move(changed)) {
    thread_ = std::thread([this] { run(); });
  }
  ~inotify_watch() override {
    const std::uint64_t one = 1;
    std::ignore = ::write(wake_.get(), &one, sizeof one);
    thread_.join();
  }

 private:
  void run() {
    std::array<pollfd, 2> fds{pollfd{notes_.get(), POLLIN, 0}, pollfd{wake_.get(), POLLIN, 0}};
    while (true) {
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
      if (fds[1].revents != 0) return;
      // What came together is one change; which file it was does not matter, the reader compares.
      std::array<std::byte, 16384> notes;
      bool any = false;
      while (::read(notes_.get(), notes.data(), notes.size()) > 0) any = true;
      if (any) changed_();
    }
  }

  file_descriptor notes_;
  file_descriptor wake_;
  std::function<void()> changed_;
  std::thread thread_;
};

}  // namespace

outcome<std::unique_ptr<file_watch>> watch_file(const std::string& path, std::function<void()> changed) {
  auto folder = std::filesystem::path(path).parent_path().string();
  if (folder.empty()) folder = ".";
  file_descriptor notes{::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
  file_descriptor wake{::eventfd(0, EFD_CLOEXEC)};
  if (!notes || !wake ||
      ::inotify_add_watch(notes.get(), folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE) < 0)
    return fail(trouble::refused, "cannot watch " + folder + ": " + std::generic_category().message(errno));
  return std::make_unique<inotify_watch>(std::move(notes), std::move(wake), std::move(changed));
}

}  // namespace tenure::agent
