#include <algorithm>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/tenancy_tracker.hpp"

namespace tenure::agent {
namespace {

/// A host that says itself who uses its endpoints; time goes on with every look.
struct seeing_host final : boot_clock, identity_map, address_check, usage_check {
  mutable nanos time = 1000;
  std::map<identity_key, tenancy_id> kernel;
  std::vector<usage> usages;

  nanos now() const override { return ++time; }
  outcome<void> put(const identity_key& key, tenancy_id tenancy) override {
    kernel[key] = tenancy;
    return {};
  }
  outcome<void> erase(const identity_key& key) override {
    kernel.erase(key);
    return {};
  }
  outcome<netns_ref> open(const std::string& path) override { return netns_ref{path, 1}; }
  outcome<netns_ref> find(address) override { return netns_ref{"ns", 1}; }
  std::vector<bool> held(const netns_ref&, const std::vector<address>& asked) override {
    return std::vector<bool>(asked.size(), true);
  }
  std::vector<usage> look() override {
    time += 2;
    auto seen = usages;
    time += 2;
    return seen;
  }
};

const address one = *address::parse("10.0.0.1");
const endpoint whole{one, 0};
const endpoint port80{one, 80};

usage used(const endpoint& where, const char* by, std::vector<std::uint64_t> witnesses,
           std::uint64_t cookie = 1) {
  return {{"ns", cookie}, where, {by, {}}, std::move(witnesses)};
}

struct observed : ::testing::Test {
  seeing_host host;
  tenancy_tracker tracker{77, host, host, host, 360 * second, &host};

  tenancy_id live(const endpoint& where) const {
    for (const auto& a : tracker.list())
      if (a.endpoint == where) return a.tenancy;
    return {};
  }
};

TEST_F(observed, what_is_seen_begins_goes_on_and_ends) {
  host.usages = {used(port80, "web", {5})};
  tracker.look();
  const auto id = live(port80);
  ASSERT_FALSE(id.none());
  EXPECT_EQ(host.kernel.at({1, port80}), id);
  EXPECT_TRUE(tracker.find(id)->observed);
  host.usages = {used(port80, "web", {5, 6})};
  tracker.look();
  host.usages = {used(port80, "web", {6})};
  tracker.look();
  EXPECT_EQ(live(port80), id) << "one witness was always there";
  EXPECT_GT(tracker.find(id)->until, tracker.find(id)->from);
  const auto until = tracker.find(id)->until;
  host.usages.clear();
  tracker.look();
  EXPECT_TRUE(live(port80).none());
  EXPECT_TRUE(host.kernel.empty());
  EXPECT_TRUE(tracker.find(id)->ended);
  EXPECT_EQ(tracker.find(id)->until, until);
}

TEST_F(observed, without_a_common_witness_it_is_another_tenancy) {
  host.usages = {used(port80, "web", {5})};
  tracker.look();
  const auto before = live(port80);
  host.usages = {used(port80, "web", {6})};
  tracker.look();
  EXPECT_NE(live(port80), before);
  EXPECT_TRUE(tracker.find(before)->ended);
}

TEST_F(observed, what_a_platform_says_comes_first) {
  host.usages = {used(port80, "web", {5})};
  tracker.look();
  const auto seen = live(port80);
  ASSERT_TRUE(tracker.set(whole, {"checkout", {}}, "ns"));
  EXPECT_TRUE(tracker.find(seen)->ended);
  tracker.look();
  EXPECT_TRUE(live(port80).none());
  EXPECT_FALSE(live(whole).none());
  EXPECT_FALSE(tracker.del(port80, "ns"));
  ASSERT_TRUE(tracker.del(whole, "ns"));
  tracker.look();
  EXPECT_FALSE(live(port80).none());
  EXPECT_FALSE(tracker.del(port80, "ns")) << "no platform's, so no platform's to end";
}

TEST_F(observed, the_same_name_said_by_a_platform_is_a_tenancy_of_its_own) {
  host.usages = {used(port80, "web", {5})};
  tracker.look();
  const auto seen = live(port80);
  const auto said = tracker.set(port80, {"web", {}}, "ns");
  ASSERT_TRUE(said);
  EXPECT_NE(said->tenancy, seen);
}

TEST_F(observed, an_address_in_two_namespaces_is_nobodys) {
  host.usages = {used(whole, "a", {5}, 1), used(whole, "b", {6}, 2)};
  tracker.look();
  EXPECT_TRUE(tracker.list().empty());
  host.usages = {used(whole, "a", {5}, 1), used(port80, "b", {6}, 1)};
  tracker.look();
  EXPECT_TRUE(tracker.list().empty());
}

// Truth: port 80 is listened on by a socket of one workload, then of another; now and then the tracker looks,
// and sees what is there at some moment of its look. Every interval that it reports lies in one holding.
RC_GTEST_PROP(observed_property, evidence_stays_inside_the_truth, ()) {
  struct holding {
    std::string workload;
    std::uint64_t socket = 0;
    nanos from = 0;
    nanos until = time_max;
  };
  seeing_host host;
  tenancy_tracker tracker{77, host, host, host, 360 * second, &host};
  std::vector<holding> truth;
  std::map<tenancy_id, tenancy_report> told;
  std::uint64_t sockets = 0;
  const auto stop = [&] {
    if (!truth.empty() && truth.back().until == time_max) truth.back().until = host.now();
    host.usages.clear();
  };
  for (const int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 6))) {
    host.time += *rc::gen::inRange<nanos>(0, 3);
    if (step == 0) {
      stop();
      const auto who = "w" + std::to_string(*rc::gen::inRange(0, 2));
      truth.push_back({who, ++sockets, host.now()});
      host.usages = {used(port80, who.c_str(), {sockets})};
    } else if (step == 1) {
      stop();
    } else if (step == 2) {
      tracker.look();
      for (const auto& r : tracker.changes()) told[r.id] = r;
    } else {
      for (const auto& r : tracker.heartbeat()) told[r.id] = r;
    }
  }
  for (const auto& r : tracker.heartbeat()) told[r.id] = r;
  for (const auto& [id, r] : told) {
    if (r.until <= r.from) continue;
    RC_ASSERT(std::ranges::any_of(truth, [&](const holding& h) {
      return h.workload == r.workload.name && h.from <= r.from && r.until <= h.until;
    }));
  }
}

}  // namespace
}  // namespace tenure::agent
