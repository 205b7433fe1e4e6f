#include "cli/whole_output.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <string_view>
#include <unistd.h>

namespace tenure::cli {

namespace {

constexpr std::size_t piece = std::size_t{1} << 20;
constexpr int standard_output = 1;

bool write_all(int descriptor, std::string_view data) {
  while (!data.empty()) {
    const auto written = ::write(descriptor, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

tl::unexpected<failure> cannot(const std::string& file, const char* what) {
  return fail(trouble::refused, file + ": cannot be " + what + ": " + std::strerror(errno));
}

outcome<int> open_spool() {
  std::error_code error;
  std::string pattern = (std::filesystem::temp_directory_path(error) / "tenure-output-XXXXXX").string();
  const int descriptor = error ? -1 : ::mkostemp(pattern.data(), O_CLOEXEC);
  if (descriptor < 0) return cannot(pattern, "created");
  ::unlink(pattern.c_str());
  return descriptor;
}

}  // namespace

outcome<std::unique_ptr<whole_output>> whole_output::create(const std::string& file) {
  namespace fs = std::filesystem;
  using made = std::unique_ptr<whole_output>;
  std::error_code ignored;
  const bool to_stdout = file == "-";
  const fs::file_status status = fs::status(file, ignored);
  if (!to_stdout && fs::is_directory(status)) return fail(trouble::usage, file + ": is a directory");
  if (to_stdout || (fs::exists(status) && !fs::is_regular_file(status))) {
    const int copy_to = to_stdout ? ::dup(standard_output) : ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    if (copy_to < 0) return cannot(file, "written");
    const auto spool = open_spool();
    if (!spool) {
      ::close(copy_to);
      return tl::unexpected(spool.error());
    }
    return made(new whole_output(to_stdout ? "stdout" : file, "", *spool, copy_to));
  }
  // A link stays a link: its target is what is replaced.
  const fs::path place = fs::exists(status) ? fs::canonical(file, ignored) : fs::path(file);
  const fs::path partial =
      place.parent_path() / ('.' + place.filename().string() + '.' + std::to_string(::getpid()) + ".partial");
  const int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (descriptor < 0) return cannot(file, "written");
  return made(new whole_output(place.string(), partial.string(), descriptor, -1));
}

whole_output::whole_output(std::string place, std::string partial, int descriptor, int copy_to)
    : place_(std::move(place)), partial_(std::move(partial)), descriptor_(descriptor), copy_to_(copy_to) {
  buffer_.reserve(2 * piece);
}

whole_output::~whole_output() {
  ::close(descriptor_);
  if (copy_to_ >= 0) ::close(copy_to_);
  if (!partial_.empty()) ::unlink(partial_.c_str());
}

outcome<void> whole_output::flush_if_full() {
  return buffer_.size() < piece ? outcome<void>{} : flush();
}

outcome<void> whole_output::flush() {
  if (!write_all(descriptor_, buffer_)) return cannot(place_, "written");
  buffer_.clear();
  return {};
}

outcome<void> whole_output::copy() const {
  std::array<char, 1 << 16> part{};
  if (::lseek(descriptor_, 0, SEEK_SET) < 0) return cannot(place_, "written");
  for (;;) {
    const auto got = ::read(descriptor_, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot(place_, "written");
    if (got == 0) return {};
    if (!write_all(copy_to_, {part.data(), static_cast<std::size_t>(got)})) return cannot(place_, "written");
  }
}

outcome<void> whole_output::commit() {
  if (auto flushed = flush(); !flushed) return flushed;
  if (copy_to_ >= 0) return copy();
  if (::rename(partial_.c_str(), place_.c_str()) != 0) return cannot(place_, "written");
  partial_.clear();
  return {};
}

}  // namespace tenure::cli
