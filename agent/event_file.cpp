#include "agent/event_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/types.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "bpf/socket_event.h"

namespace tenure::agent {
namespace {

constexpr std::uint64_t most_events = (std::uint64_t{1} << 30) / sizeof(tenure_socket_event);

struct file_head {
  std::array<char, 16> name{'t', 'e', 'n', 'u', 'r', 'e', '-', 'e', 'v', 'e', 'n', 't', 's', '\n', 0, 0};
  std::uint32_t version = TENURE_SOCKET_EVENT_VERSION;
  std::uint32_t event_bytes = sizeof(tenure_socket_event);
  std::uint64_t jiffies = 0;
  std::int64_t bound = 0;
  std::int64_t tick = 0;
  std::int64_t begun = 0;
};

/// Of stamps within a hundred years, with which one can reckon; anything else is no event.
bool plausible(const tenure_socket_event& e, const recording& about) {
  constexpr std::uint64_t century = 100ULL * 366 * 86400 * 1'000'000'000;
  constexpr std::uint64_t ticks = std::uint64_t{1} << 42;
  // The offset may be a little below 0: the two clocks are read one after the other.
  const auto offset = static_cast<std::uint64_t>(e.boot_offset_ns) + century;
  return e.version == TENURE_SOCKET_EVENT_VERSION && e.opened_ns < century && e.established_ns < century &&
         e.closed_ns < century && offset < 2 * century &&
         e.jiffies - about.jiffies.jiffies + ticks / 2 < ticks;
}

}  // namespace

outcome<std::unique_ptr<event_writer>> event_writer::create(const std::string& path, const recording& about) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  file_ptr file(fd >= 0 ? ::fdopen(fd, "wb") : nullptr, std::fclose);
  file_head head;
  head.jiffies = about.jiffies.jiffies;
  head.bound = about.jiffies.bound;
  head.tick = about.jiffies.tick;
  head.begun = about.begun;
  if (!file || std::fwrite(&head, sizeof head, 1, file.get()) != 1)
    return fail(trouble::refused, "cannot record to " + path + ": " + std::generic_category().message(errno));
  return std::unique_ptr<event_writer>(new event_writer(std::move(file)));
}

void event_writer::write(const tenure_socket_event& e) {
  if (lost_ > 0 || written_ >= most_events || std::fwrite(&e, sizeof e, 1, file_.get()) != 1)
    ++lost_;
  else
    ++written_;
}

void event_writer::flush() {
  std::fflush(file_.get());
}

outcome<std::unique_ptr<event_reader>> event_reader::open(const std::string& path) {
  file_ptr file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (!file) return fail(trouble::usage, path + ": " + std::generic_category().message(errno));
  file_head head;
  const file_head expected;
  if (std::fread(&head, sizeof head, 1, file.get()) != 1 || head.name != expected.name)
    return fail(trouble::usage, path + " is not a recording of socket events");
  if (head.version != expected.version || head.event_bytes != expected.event_bytes)
    return fail(trouble::usage, path + " was recorded by another version of tenure (events " +
                                    std::to_string(head.version) + ", here " +
                                    std::to_string(expected.version) + ")");
  constexpr std::int64_t century = std::int64_t{100} * 366 * 86400 * second;
  if (head.tick < millisecond || head.tick > 10 * millisecond || head.begun < 0 || head.begun > century ||
      head.bound < -century || head.bound > century)
    return fail(trouble::usage, path + " says times that no kernel has");
  return std::unique_ptr<event_reader>(
      new event_reader(std::move(file), {{head.jiffies, head.bound, head.tick}, head.begun}));
}

bool event_reader::next(tenure_socket_event& e) {
  return std::fread(&e, sizeof e, 1, file_.get()) == 1 && plausible(e, about_);
}

}  // namespace tenure::agent
