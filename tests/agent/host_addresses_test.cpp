#include "agent/host_addresses.hpp"

#include <array>
#include <condition_variable>
#include <cstring>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <mutex>
#include <set>
#include <string>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/netlink_addresses.hpp"
#include "agent/netns.hpp"
#include "tests/agent/kernel_world.hpp"

namespace tenure::agent {
namespace {

using testing::kernel_world;

address a(const char* text) {
  return address::parse(text).value();
}

TEST(address_check_test, finds_the_one_namespace_and_names_several) {
  const kernel_world world;
  const auto check = make_address_check();
  // The whole host is searched, and other tests have namespaces too: an address that is this process's own.
  const auto own = "198.18." + std::to_string(getpid() / 256 % 256) + "." + std::to_string(getpid() % 256);
  world.ip("-n @north addr add " + own + "/32 dev lo");
  const auto found = check->find(a(own.c_str()));
  ASSERT_TRUE(found) << found.error().text;
  EXPECT_EQ(found->cookie, world.cookie("north"));
  const auto none = check->find(a("10.79.0.1"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().trouble, trouble::usage);
  world.ip("-n @east addr add " + own + "/32 dev lo");
  const auto several = check->find(a(own.c_str()));
  ASSERT_FALSE(several);
  EXPECT_NE(several.error().text.find(world.path("east")), std::string::npos) << several.error().text;
  EXPECT_NE(several.error().text.find(world.path("north")), std::string::npos) << several.error().text;
}

TEST(address_check_test, sees_addresses_come_and_go_and_namespaces_end) {
  const kernel_world world;
  const auto check = make_address_check();
  const auto east = check->open(world.path("east"));
  ASSERT_TRUE(east) << east.error().text;
  const std::vector<address> asked{a("10.77.0.2"), a("fd77::2"), a("10.77.0.1")};
  EXPECT_EQ(check->held(*east, asked), (std::vector<bool>{true, true, false}));
  world.ip("-n @east addr del 10.77.0.2/24 dev @w");
  EXPECT_EQ(check->held(*east, asked), (std::vector<bool>{false, true, false}));
  // The same path, another namespace with the same address: not the one that was asked about.
  world.ip("netns del @east");
  world.ip("netns add @east");
  world.ip("-n @east addr add 10.77.0.2/24 dev lo");
  EXPECT_EQ(check->held(*east, asked), (std::vector<bool>{false, false, false}));
  EXPECT_FALSE(check->open("/run/netns/there-is-none"));
  EXPECT_FALSE(check->open("/proc/self/ns/mnt"));
}

TEST(address_watch_test, says_what_left_the_watching_namespace) {
  const kernel_world world;
  std::mutex mutex;
  std::condition_variable changed;
  std::set<address> gone;
  std::unique_ptr<address_watch> watch;
  std::uint64_t said_cookie = 0;
  // Its sockets are of the namespace of the thread that makes it.
  world.inside("east", [&] {
    auto started = watch_host_addresses([&](std::uint64_t cookie, address left) {
      const std::scoped_lock lock(mutex);
      said_cookie = cookie;
      gone.insert(left);
      changed.notify_all();
    });
    if (started) watch = std::move(*started);
  });
  ASSERT_NE(watch, nullptr);
  world.ip("-n @east addr add 10.90.0.1/32 dev lo");
  world.ip("-n @east addr del 10.90.0.1/32 dev lo");
  world.ip("-n @east addr del fd77::2/64 dev @w");
  std::unique_lock lock(mutex);
  EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds{5}, [&] { return gone.size() >= 2; }));
  EXPECT_EQ(gone, (std::set<address>{a("10.90.0.1"), a("fd77::2")}));
  EXPECT_EQ(said_cookie, world.cookie("east"));
  lock.unlock();
  watch.reset();
}

RC_GTEST_PROP(address_messages, any_bytes_are_survived, (const std::vector<std::uint8_t>& bytes)) {
  read_address_messages(std::as_bytes(std::span(bytes)), [](const address_message&) {});
}

RC_GTEST_PROP(address_messages, a_broken_length_ends_the_reading,
              (std::uint32_t length, std::uint16_t attribute_length)) {
  struct {
    nlmsghdr header;
    ifaddrmsg body;
    rtattr attribute;
    std::array<std::uint8_t, 4> value;
  } m{};
  m.header.nlmsg_len = length % (sizeof m + 8);
  m.header.nlmsg_type = RTM_DELADDR;
  m.body.ifa_family = 2;
  m.attribute.rta_len = attribute_length % 16;
  m.attribute.rta_type = IFA_LOCAL;
  m.value = {10, 0, 0, 1};
  std::vector<address> seen;
  read_address_messages(std::as_bytes(std::span(&m, 1)),
                        [&](const address_message& said) { seen.push_back(said.address); });
  for (const auto& s : seen) RC_ASSERT(s == a("10.0.0.1"));
  if (m.header.nlmsg_len == sizeof m && m.attribute.rta_len == 8) RC_ASSERT(seen.size() == 1U);
}

}  // namespace
}  // namespace tenure::agent
