#include "demo/run_folder.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/file.h>
#include <system_error>

#include <fmt/format.h>

#include "demo/network_namespace.hpp"

namespace tenure::demo {
namespace {

namespace fs = std::filesystem;

constexpr const char* first_part = "tenure-demo-";
constexpr const char* folders = "/run";
constexpr const char* pins = "/sys/fs/bpf";

/// The lock of a run folder, held as long as its run lives; none when somebody else holds it.
unique_fd lock(const fs::path& file) {
  unique_fd fd{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (fd && ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) fd.reset();
  return fd;
}

/// What stands in a folder and begins with `start`; a folder that cannot be read has nothing.
std::vector<fs::path> beginning_with(const fs::path& folder, const std::string& start) {
  std::vector<fs::path> found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    if (entry.path().filename().string().starts_with(start)) found.push_back(entry.path());
  }
  return found;
}

/// Everything that carries the name of one run.
void remove_run(const std::string& name) {
  for (const auto& path : beginning_with(namespace_folder, name + "-"))
    remove_namespace_name(path.filename());
  std::error_code gone;
  fs::remove_all(fs::path(pins) / name, gone);
  fs::remove_all(fs::path(folders) / name, gone);
}

}  // namespace

outcome<run_folder> run_folder::create() {
  // One at a time: a folder that was just made, and is not locked yet, must not look like a dead run's.
  unique_fd turn;
  for (int tries = 0; tries < 50 && !turn; ++tries) {
    turn = lock(fs::path(folders) / "tenure-demo.lock");
    if (!turn && errno != EWOULDBLOCK) break;
    if (!turn) ::poll(nullptr, 0, 100);
  }
  if (!turn)
    return fail(trouble::refused, fmt::format("cannot lock /run/tenure-demo.lock: {}", std::strerror(errno)));
  for (const auto& path : beginning_with(folders, first_part)) {
    if (fs::is_directory(path) && lock(path / "lock")) remove_run(path.filename());
  }
  run_folder made;
  const std::string name = fmt::format("{}{}", first_part, ::getpid());
  std::error_code error;
  fs::create_directory(fs::path(folders) / name, error);
  if (!error) made.lock_ = lock(fs::path(folders) / name / "lock");
  if (!made.lock_) return fail(trouble::refused, fmt::format("cannot make /run/{}: it needs root", name));
  made.name_ = name;
  return made;
}

run_folder::~run_folder() {
  if (lock_) remove_run(name_);
}

std::string run_folder::path() const {
  return (fs::path(folders) / name_).string();
}
std::string run_folder::pin_path() const {
  return (fs::path(pins) / name_).string();
}

}  // namespace tenure::demo
