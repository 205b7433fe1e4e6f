#include "tests/process/written_events.hpp"

#include <cstring>
#include <linux/types.h>
#include <regex>

#include <gtest/gtest.h>

#include "agent/event_file.hpp"
#include "bpf/socket_event.h"
#include "ownership/address.hpp"

namespace tenure::testing {

void write_events(const std::string& path, int count, nanos apart) {
  const agent::recording about{{1000, 5 * second, 4 * millisecond}, 100 * second};
  const auto writer = agent::event_writer::create(path, about);
  ASSERT_TRUE(writer) << writer.error().text;
  for (int i = 0; i < count; ++i) {
    tenure_socket_event e{};
    e.version = TENURE_SOCKET_EVENT_VERSION;
    e.flags = TENURE_SOCKET_ESTABLISHED | TENURE_SOCKET_ACTIVE | TENURE_SOCKET_OPENED_KNOWN;
    e.opened_ns = static_cast<__u64>(101 * second + i * apart);
    e.established_ns = e.opened_ns + 1000;
    e.closed_ns = e.established_ns + 1'000'000;
    e.jiffies = 1000 + 2000;
    const auto near = tenure::address::v4(0x0a4d0001).bytes();
    const auto far = tenure::address::v4(0x0a4d0002U + static_cast<std::uint32_t>(i % 4)).bytes();
    std::memcpy(e.near_address, near.data(), near.size());
    std::memcpy(e.far_address, far.data(), far.size());
    e.near_port = static_cast<__u16>(1024 + i % 60000);
    e.far_port = 443;
    e.bytes_sent = 10;
    (*writer)->write(e);
  }
  (*writer)->flush();
}

std::uint16_t port_in(const std::string& log, const std::string& before) {
  std::smatch found;
  return std::regex_search(log, found, std::regex{before + "127.0.0.1:(\\d+)"})
             ? static_cast<std::uint16_t>(std::stoi(found[1]))
             : std::uint16_t{0};
}

}  // namespace tenure::testing
