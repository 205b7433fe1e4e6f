#include "agent/event_file.hpp"

#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <linux/types.h>
#include <mutex>
#include <stdlib.h>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/replayed_flow_source.hpp"
#include "bpf/socket_event.h"

namespace tenure::agent {
namespace {

namespace fs = std::filesystem;

struct recorded_file {
  std::string folder;
  std::string path;
  recorded_file() {
    char pattern[] = "/tmp/tenure-events-XXXXXX";
    folder = ::mkdtemp(pattern);
    path = folder + "/events";
  }
  ~recorded_file() { fs::remove_all(folder); }
};

const recording about{{1000, 5 * second, 4 * millisecond}, 100 * second};

tenure_socket_event event(std::uint16_t port) {
  tenure_socket_event e{};
  e.version = TENURE_SOCKET_EVENT_VERSION;
  e.flags = TENURE_SOCKET_ESTABLISHED | TENURE_SOCKET_ACTIVE | TENURE_SOCKET_OPENED_KNOWN;
  e.near_incarnation = 7;
  e.near_sequence = 3;
  e.opened_ns = static_cast<__u64>(101 * second);
  e.established_ns = static_cast<__u64>(101 * second + millisecond);
  e.closed_ns = static_cast<__u64>(102 * second);
  e.boot_offset_ns = port == 1 ? -40 : 10 * second;
  e.jiffies = 1000 + 2000;
  e.near_port = port;
  e.bytes_sent = 17;
  return e;
}

void write(const std::string& path, int events) {
  const auto writer = event_writer::create(path, about);
  ASSERT_TRUE(writer) << writer.error().text;
  for (int i = 0; i < events; ++i) (*writer)->write(event(static_cast<std::uint16_t>(i + 1)));
}

std::size_t count(event_reader& reader) {
  std::size_t n = 0;
  for (tenure_socket_event e{}; reader.next(e);) ++n;
  return n;
}

TEST(event_file, gives_back_what_was_written_and_is_its_owners_alone) {
  const recorded_file f;
  write(f.path, 3);
  EXPECT_EQ(fs::status(f.path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto reader = event_reader::open(f.path);
  ASSERT_TRUE(reader) << reader.error().text;
  EXPECT_EQ((*reader)->about().begun, about.begun);
  EXPECT_EQ((*reader)->about().jiffies.tick, about.jiffies.tick);
  tenure_socket_event e{};
  for (std::uint16_t port = 1; port <= 3; ++port) {
    ASSERT_TRUE((*reader)->next(e));
    const auto expected = event(port);
    EXPECT_EQ(std::memcmp(&e, &expected, sizeof e), 0);
  }
  EXPECT_FALSE((*reader)->next(e));
}

TEST(event_file, half_an_event_at_the_end_is_none) {
  const recorded_file f;
  write(f.path, 3);
  fs::resize_file(f.path, fs::file_size(f.path) - 1);
  EXPECT_EQ(count(**event_reader::open(f.path)), 2U);
}

TEST(event_file, what_is_no_recording_is_refused) {
  const recorded_file f;
  EXPECT_FALSE(event_reader::open(f.path)) << "not there";
  std::ofstream(f.path) << "something else that is long enough to be looked at, and is no recording at all";
  const auto reader = event_reader::open(f.path);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().trouble, trouble::usage);
  EXPECT_FALSE(event_writer::create(f.folder + "/no/such/folder", about));
}

RC_GTEST_PROP(event_file, any_bytes_end_it_and_nothing_else, (std::uint32_t where, std::uint8_t what)) {
  const recorded_file f;
  write(f.path, 2);
  {
    std::fstream file(f.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(where % static_cast<std::uint32_t>(fs::file_size(f.path)));
    file.put(static_cast<char>(what));
  }
  const auto reader = event_reader::open(f.path);
  if (reader) RC_ASSERT(count(**reader) <= 2U);
}

struct fixed_clock final : boot_clock {
  nanos now() const override { return 5000 * second; }
};

TEST(replayed_flow_source, tells_what_was_recorded_as_though_it_were_now) {
  const recorded_file f;
  {
    // They ended before the recording began by its own reckoning: nothing is to be waited for.
    const auto writer = event_writer::create(f.path, {about.jiffies, 200 * second});
    for (std::uint16_t port = 1; port <= 3; ++port) (*writer)->write(event(port));
  }
  const fixed_clock clock;
  const auto source = make_replayed_flow_source(f.path, 200 * millisecond, clock);
  ASSERT_TRUE(source) << source.error().text;
  std::mutex mutex;
  std::condition_variable came;
  std::vector<observed_flow> flows;
  ASSERT_TRUE((*source)->start([&](std::vector<observed_flow> more) {
    const std::scoped_lock lock(mutex);
    flows.insert(flows.end(), more.begin(), more.end());
    came.notify_all();
  }));
  std::unique_lock lock(mutex);
  ASSERT_TRUE(came.wait_for(lock, std::chrono::seconds{20}, [&] { return flows.size() == 3; }));
  EXPECT_EQ(flows[2].flow.near_port, 3);
  EXPECT_EQ(flows[0].flow.times.closed, 4902 * second);
  EXPECT_EQ(flows[0].flow.times.established, 4901 * second + millisecond);
  EXPECT_LE(flows[0].flow.times.last_received, flows[0].flow.times.closed);
  EXPECT_TRUE(flows[0].flow.near_tenancy.none()) << "nobody's now";
  EXPECT_EQ(flows[0].flow.counters.bytes_sent, 17U);
  lock.unlock();
  (*source)->stop();
  EXPECT_EQ((*source)->counters().events, 3U);
}

}  // namespace
}  // namespace tenure::agent
