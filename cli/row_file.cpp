#include "cli/row_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <utility>

namespace tenure::cli {

outcome<row_file> row_file::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return fail(trouble::refused, path + ": " + std::strerror(errno));
  row_file file(path, descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    return fail(trouble::refused, path + ": another process is writing it");
  if (auto done = file.read(); !done) return tl::unexpected(done.error());
  return file;
}

row_file::row_file(row_file&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      found_(std::move(other.found_)) {}

row_file::~row_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

tl::unexpected<failure> row_file::refused(const char* why) const {
  return fail(trouble::refused, path_ + ": " + why + ": " + std::strerror(errno));
}

outcome<void> row_file::read() {
  char part[65536];
  for (;;) {
    const auto n = ::read(descriptor_, part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refused("cannot be read");
    if (n == 0) break;
    found_.append(part, static_cast<std::size_t>(n));
  }
  const auto last = found_.rfind('\n');
  const auto whole = last == std::string::npos ? 0 : last + 1;
  if (whole == found_.size()) return {};
  found_.resize(whole);
  if (::ftruncate(descriptor_, static_cast<off_t>(whole)) != 0) return refused("cannot be cut");
  return {};
}

outcome<void> row_file::append(const std::string& rows) {
  for (std::string_view left = rows; !left.empty();) {
    const auto n = ::write(descriptor_, left.data(), left.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return refused("cannot be written");
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace tenure::cli
