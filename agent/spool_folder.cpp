#include "agent/spool_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <string_view>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <zlib.h>

#include "agent/file_descriptor.hpp"

namespace tenure::agent {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t magic = 0x31'6c6f'6f70'7374ULL;  // "tspool1"
constexpr std::string_view ending = ".batch";

/// Before the frame's words in each file.
struct file_head {
  std::uint64_t magic = agent::magic;
  std::uint64_t incarnation = 0;
  std::uint64_t number = 0;
  std::uint64_t flows = 0;
  std::uint64_t words = 0;
  std::uint64_t checksum = 0;  // CRC-32 of the five before, then of the words
};

std::uint64_t checksum_of(const file_head& h, const wire::frame& f) {
  auto sum = ::crc32(0, reinterpret_cast<const Bytef*>(&h), offsetof(file_head, checksum));
  sum = ::crc32(sum, reinterpret_cast<const Bytef*>(f.data()),
                static_cast<uInt>(f.size() * sizeof(std::uint64_t)));
  return sum;
}

std::string hexadecimal(std::uint64_t n) {
  char text[17] = {};
  for (int i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[n >> (60 - 4 * i) & 15U];
  return text;
}

template <class Number>
std::optional<Number> number_in(std::string_view text, int base) {
  Number n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

bool write_all(int fd, const void* data, std::size_t size) {
  const auto* at = static_cast<const char*>(data);
  while (size > 0) {
    const auto done = ::write(fd, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

bool read_all(int fd, void* data, std::size_t size) {
  auto* at = static_cast<char*>(data);
  while (size > 0) {
    const auto done = ::read(fd, at, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    at += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

class spool_folder final : public spool {
 public:
  spool_folder(std::string path, file_descriptor lock, std::uint64_t incarnation)
      : path_(std::move(path)), lock_(std::move(lock)), incarnation_(incarnation) {}
  ~spool_folder() override { ::rmdir(path_.c_str()); }  // fails while there is something in it

  outcome<void> put(std::uint64_t number, std::size_t flows, const wire::frame& f) override {
    file_head head;
    head.incarnation = incarnation_;
    head.number = number;
    head.flows = flows;
    head.words = f.size();
    head.checksum = checksum_of(head, f);
    const std::string unfinished = path_ + "/unfinished";
    const file_descriptor file{::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
    // No fsync: what is to be survived is this process's end. After the host's the stamps mean nothing.
    if (!file || !write_all(file.get(), &head, sizeof head) ||
        !write_all(file.get(), f.data(), f.size() * sizeof(std::uint64_t)) ||
        ::rename(unfinished.c_str(), file_of(number).c_str()) != 0) {
      const int error = errno;
      ::unlink(unfinished.c_str());
      return fail(trouble::refused,
                  "cannot write to the spool " + path_ + ": " + std::generic_category().message(error));
    }
    return {};
  }

  outcome<wire::frame> get(std::uint64_t number) override {
    const file_descriptor file{::open(file_of(number).c_str(), O_RDONLY | O_CLOEXEC)};
    file_head head;
    wire::frame f;
    struct stat s {};
    bool whole = file && ::fstat(file.get(), &s) == 0 && read_all(file.get(), &head, sizeof head) &&
                 head.magic == magic && head.incarnation == incarnation_ && head.number == number &&
                 head.words <= wire::max_frame_bytes / sizeof(std::uint64_t) &&
                 static_cast<std::uint64_t>(s.st_size) == sizeof head + head.words * sizeof(std::uint64_t);
    if (whole) {
      f.resize(head.words);
      whole = read_all(file.get(), f.data(), f.size() * sizeof(std::uint64_t)) &&
              head.checksum == checksum_of(head, f);
    }
    if (!whole) return fail(trouble::usage, file_of(number) + " is not the batch that was put there");
    return f;
  }

  void erase(std::uint64_t number) override { ::unlink(file_of(number).c_str()); }

  std::vector<entry> list() override {
    std::vector<entry> found;
    std::error_code error;
    for (fs::directory_iterator at(path_, error), end; !error && at != end; at.increment(error)) {
      const auto name = at->path().filename().string();
      if (name == "unfinished") ::unlink(at->path().c_str());
      if (!name.ends_with(ending)) continue;
      const auto number =
          number_in<std::uint64_t>(std::string_view(name).substr(0, name.size() - ending.size()), 10);
      if (!number) continue;
      const file_descriptor file{::open(at->path().c_str(), O_RDONLY | O_CLOEXEC)};
      file_head head;
      const bool read = file && read_all(file.get(), &head, sizeof head) && head.magic == magic;
      // What is broken has an entry too: whoever gets it counts it. It takes up what the file system says,
      // not what its head does.
      struct stat s {};
      const std::size_t size = file && ::fstat(file.get(), &s) == 0 ? static_cast<std::size_t>(s.st_size) : 0;
      found.push_back({*number, read ? head.flows : 0, size - std::min(size, sizeof head)});
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.number < b.number; });
    return found;
  }

 private:
  std::string file_of(std::uint64_t number) const {
    return path_ + "/" + std::to_string(number) + std::string(ending);
  }

  std::string path_;
  file_descriptor lock_;
  std::uint64_t incarnation_;
};

std::size_t files_in(const fs::path& folder) {
  std::size_t n = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    n += at->path().extension() == ending ? 1U : 0U;
  return n;
}

/// Nobody holds the folder's lock.
bool is_free(const fs::path& folder) {
  const file_descriptor lock{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  return lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

outcome<std::unique_ptr<spool>> open_spool(const std::string& root, const std::string& boot,
                                           std::uint64_t incarnation) {
  const std::string path = root + "/" + boot + "-" + hexadecimal(incarnation);
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail(trouble::refused, "cannot make the spool " + path + ": " + error.message());
  ::chmod(path.c_str(), 0700);
  file_descriptor lock{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(trouble::refused, "another agent holds the spool " + path);
  return std::make_unique<spool_folder>(path, std::move(lock), incarnation);
}

left_behind look_for_left_behind(const std::string& root, const std::string& boot) {
  left_behind found;
  std::error_code error;
  std::vector<fs::path> all;
  for (fs::directory_iterator at(root, error), end; !error && at != end; at.increment(error))
    all.push_back(at->path());
  for (const auto& folder : all) {
    const auto name = folder.filename().string();
    const auto dash = name.rfind('-');
    if (dash == std::string::npos) continue;
    const auto incarnation = number_in<std::uint64_t>(std::string_view(name).substr(dash + 1), 16);
    if (!incarnation || name.size() - dash != 17 || !is_free(folder)) continue;
    if (name.substr(0, dash) != boot || files_in(folder) == 0) {
      found.lost_batches += files_in(folder);
      fs::remove_all(folder, error);
    } else {
      found.incarnations.push_back(*incarnation);
    }
  }
  return found;
}

}  // namespace tenure::agent
