#include <fstream>
#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/forwarding_watch.hpp"
#include "agent/host_addresses.hpp"
#include "agent/look_failures.hpp"
#include "agent/tenancy_tracker.hpp"
#include "tests/agent/kernel_world.hpp"

// A host may claim an address as a whole only while it forwards nothing.
namespace tenure::agent {
namespace {

void write(const std::string& path, const char* what) {
  std::ofstream(path) << what;
}

TEST(forwarding, every_spell_is_known_however_short_and_of_whichever_interface) {
  const testing::kernel_world world;
  world.inside("west", [&] {
    const std::string v4 = "/proc/sys/net/ipv4/";
    write(v4 + "ip_forward", "0");
    auto watch = forwarding_watch::start();
    ASSERT_TRUE(watch) << watch.error().text;
    const auto look = [&] { return watch->look().value(); };
    const auto quiet = look();
    EXPECT_FALSE(quiet.on);
    EXPECT_EQ(look().spells, quiet.spells) << "looking changes nothing";
    write(v4 + "ip_forward", "1");
    write(v4 + "ip_forward", "0");
    const auto after = look();
    EXPECT_FALSE(after.on);
    EXPECT_GT(after.spells, quiet.spells) << "on and off again between two looks";
    write(v4 + "conf/lo/forwarding", "1");
    EXPECT_TRUE(look().on) << "one interface is enough";
    EXPECT_TRUE(dump_forwarding().value());
    write(v4 + "conf/lo/forwarding", "0");
    EXPECT_FALSE(dump_forwarding().value());
    write("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    EXPECT_TRUE(look().on);
    write("/proc/sys/net/ipv6/conf/all/forwarding", "0");
    look();
    const auto ended = look();
    write(v4 + "conf/default/forwarding", "1");
    EXPECT_EQ(look().spells, ended.spells) << "the default is nobody's yet";
  });
}

TEST(forwarding, the_host_address_check_tells_of_its_own_namespace) {
  const testing::kernel_world world;
  world.inside("west", [&] {
    write("/proc/sys/net/ipv4/ip_forward", "0");
    const auto check = make_address_check();
    const auto quiet = check->forwards();
    ASSERT_TRUE(quiet) << quiet.error().text;
    write("/proc/sys/net/ipv4/ip_forward", "1");
    EXPECT_TRUE(check->forwards()->on);
    EXPECT_GT(check->forwards()->spells, quiet->spells);
  });
}

TEST(look_failures, each_is_counted_and_each_reason_said_once_until_a_look_works) {
  std::vector<std::string> said;
  look_failures f([&](const std::string& why) { said.push_back(why); });
  const failure a{trouble::refused, "a"};
  f.failed(a);
  f.failed(a);
  f.failed({trouble::refused, "b"});
  f.worked();
  f.failed({trouble::refused, "b"});
  EXPECT_EQ(f.count(), 4U);
  EXPECT_EQ(said, (std::vector<std::string>{"a", "b", "b"}));
}

RC_GTEST_PROP(forwarding_messages, any_bytes_are_survived, (const std::vector<std::uint8_t>& bytes)) {
  read_forwarding_messages(std::as_bytes(std::span(bytes)), [](const forwarding_message&) {});
}

/// A host on which somebody turns forwarding on and off; the system may refuse to say.
struct forwarding_host final : boot_clock, identity_map, address_check {
  mutable nanos time = 1000;
  bool on = false;
  bool mute = false;
  bool was_on = false;
  std::uint64_t spells = 0;

  nanos now() const override { return ++time; }
  outcome<void> put(const identity_key&, tenancy_id) override { return {}; }
  outcome<void> erase(const identity_key&) override { return {}; }
  outcome<netns_ref> open(const std::string& path) override { return netns_ref{path, 1}; }
  outcome<netns_ref> find(address) override { return netns_ref{"ns", 1}; }
  std::vector<bool> held(const netns_ref&, const std::vector<address>& asked) override {
    ++time;
    return std::vector<bool>(asked.size(), true);
  }
  outcome<forwarding> forwards() override {
    ++time;
    if (mute) return fail(trouble::refused, "too many open files");
    if (was_on || on) ++spells;
    was_on = false;
    return forwarding{on, spells};
  }
  void turn(bool to) {
    ++time;
    was_on = was_on || to;
    on = to;
  }
};

const address one = *address::parse("10.0.0.1");
const endpoint whole{one, 0};

TEST(tracker_forwarding, a_claim_ends_where_it_last_was_true) {
  forwarding_host host;
  tenancy_tracker tracker{77, host, host, host, 360 * second};
  const auto a = tracker.set(whole, {"checkout", {}}, "ns", true);
  ASSERT_TRUE(a) << a.error().text;
  tracker.heartbeat();
  const auto until = tracker.find(a->tenancy)->until;
  host.turn(true);
  tracker.look();
  EXPECT_TRUE(tracker.list().empty());
  EXPECT_TRUE(tracker.find(a->tenancy)->ended);
  EXPECT_EQ(tracker.find(a->tenancy)->until, until);
  const auto refused = tracker.set(whole, {"checkout", {}}, "ns", true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("forwarded"), std::string::npos);
  EXPECT_TRUE(tracker.set(whole, {"checkout", {}}, "ns")) << "a platform's word needs no condition";
}

TEST(tracker_forwarding, a_spell_between_two_looks_ends_it_and_a_mute_system_neither_ends_nor_verifies) {
  forwarding_host host;
  tenancy_tracker tracker{77, host, host, host, 360 * second};
  const auto a = tracker.set(whole, {"checkout", {}}, "ns", true);
  tracker.heartbeat();
  const auto until = tracker.find(a->tenancy)->until;
  host.mute = true;
  tracker.heartbeat();
  EXPECT_EQ(tracker.find(a->tenancy)->until, until);
  EXPECT_FALSE(tracker.find(a->tenancy)->ended);
  host.mute = false;
  tracker.heartbeat();
  EXPECT_GT(tracker.find(a->tenancy)->until, until);
  host.turn(true);
  host.turn(false);
  const auto b = tracker.set(whole, {"checkout", {}}, "ns", true);
  ASSERT_TRUE(b);
  EXPECT_NE(b->tenancy, a->tenancy);
}

// Forwarding goes on and off at any time; every interval reported lies in one spell of quiet.
RC_GTEST_PROP(tracker_forwarding, evidence_stays_inside_the_quiet, ()) {
  forwarding_host host;
  tenancy_tracker tracker{77, host, host, host, 360 * second};
  std::vector<std::pair<nanos, nanos>> quiet{{0, time_max}};
  std::map<tenancy_id, tenancy_report> told;
  const auto tell = [&] {
    for (const auto& r : tracker.heartbeat()) told[r.id] = r;
  };
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 7))) {
    if (step == 0 && !host.on) {
      quiet.back().second = host.time;
      host.turn(true);
    } else if (step == 1 && host.on) {
      host.turn(false);
      quiet.emplace_back(host.time, time_max);
    } else if (step == 2) {
      std::ignore = tracker.set(whole, {"checkout", {}}, "ns", true);
    } else if (step == 3) {
      host.mute = !host.mute;
    } else if (step == 4) {
      if (const auto ended = tracker.del(whole, "ns")) told[ended->tenancy] = *tracker.find(ended->tenancy);
    } else {
      tell();
    }
  }
  tell();
  for (const auto& [id, r] : told) {
    if (r.until <= r.from) continue;
    RC_ASSERT(
        std::ranges::any_of(quiet, [&](const auto& q) { return q.first <= r.from && r.until <= q.second; }));
  }
}

}  // namespace
}  // namespace tenure::agent
