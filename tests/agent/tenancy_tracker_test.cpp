#include "agent/tenancy_tracker.hpp"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::agent {
namespace {

/// A host whose truth is known: which namespace has which address, and time that goes on with every look.
struct scripted_host final : boot_clock, identity_map, address_check {
  mutable nanos time = 1000;
  std::map<std::string, std::uint64_t> cookies{{"/run/netns/a", 1}, {"/run/netns/b", 2}};
  std::map<std::uint64_t, std::vector<address>> addresses;
  std::map<identity_key, tenancy_id> kernel;
  bool map_full = false;

  nanos now() const override { return ++time; }
  outcome<void> put(const identity_key& key, tenancy_id tenancy) override {
    if (map_full) return fail(trouble::refused, "the identity map is full");
    kernel[key] = tenancy;
    return {};
  }
  outcome<void> erase(const identity_key& key) override {
    kernel.erase(key);
    return {};
  }
  outcome<netns_ref> open(const std::string& path) override {
    const auto it = cookies.find(path);
    if (it == cookies.end()) return fail(trouble::usage, "no namespace at " + path);
    return netns_ref{path, it->second};
  }
  outcome<netns_ref> find(address a) override {
    std::vector<netns_ref> found;
    for (const auto& [path, cookie] : cookies)
      if (has(cookie, a)) found.push_back({path, cookie});
    if (found.size() != 1) return fail(trouble::usage, "none, or several");
    return found[0];
  }
  std::vector<bool> held(const netns_ref& ns, const std::vector<address>& asked) override {
    ++time;
    const auto at = cookies.find(ns.path);
    std::vector<bool> out;
    for (const auto& a : asked)
      out.push_back(at != cookies.end() && at->second == ns.cookie && has(ns.cookie, a));
    ++time;
    return out;
  }
  bool has(std::uint64_t cookie, address a) {
    const auto& of = addresses[cookie];
    return std::find(of.begin(), of.end(), a) != of.end();
  }
  void give(std::uint64_t cookie, address a) { addresses[cookie].push_back(a); }
  void take(std::uint64_t cookie, address a) { std::erase(addresses[cookie], a); }
};

const address one = *address::parse("10.0.0.1");
const endpoint whole{one, 0};
const endpoint port80{one, 80};
const endpoint port81{one, 81};
const std::string a_path = "/run/netns/a";
const std::string b_path = "/run/netns/b";

struct tracker_test : ::testing::Test {
  scripted_host host;
  tenancy_tracker tracker{77, host, host, host, 360 * second};
  void SetUp() override { host.give(1, one); }
  static const tenancy_report* of(const std::vector<tenancy_report>& all, tenancy_id id) {
    for (const auto& r : all)
      if (r.id == id) return &r;
    return nullptr;
  }
};

TEST_F(tracker_test, a_tenancy_that_the_kernel_has_no_room_for_is_counted) {
  host.map_full = true;
  EXPECT_FALSE(tracker.set(whole, {"checkout", {}}, ""));
  EXPECT_EQ(tracker.refused(), 1U);
  EXPECT_TRUE(tracker.list().empty());
}

TEST_F(tracker_test, set_is_in_the_kernel_when_it_returns) {
  const auto a = tracker.set(whole, {"checkout", {}}, "");
  ASSERT_TRUE(a);
  EXPECT_EQ(host.kernel.at({1, whole}), a->tenancy);
  EXPECT_EQ(a->netns.path, a_path);
}

TEST_F(tracker_test, setting_the_same_pair_again_changes_nothing) {
  const auto first = tracker.set(whole, {"checkout", {}}, a_path);
  const auto again = tracker.set(whole, {"checkout", {}}, a_path);
  ASSERT_TRUE(first && again);
  EXPECT_EQ(first->tenancy, again->tenancy);
  EXPECT_EQ(first->from, again->from);
}

TEST_F(tracker_test, set_over_a_held_address_ends_the_old_tenancy_where_it_was_last_verified) {
  const auto old = tracker.set(whole, {"checkout", {}}, a_path);
  const nanos verified = of(tracker.heartbeat(), old->tenancy)->until;
  host.time += 5 * second;
  const auto fresh = tracker.set(whole, {"catalog", {}}, a_path);
  ASSERT_TRUE(fresh);
  EXPECT_NE(fresh->tenancy, old->tenancy);
  const auto* ended = tracker.find(old->tenancy);
  EXPECT_TRUE(ended->ended);
  EXPECT_EQ(ended->until, verified);
  EXPECT_EQ(host.kernel.at({1, whole}), fresh->tenancy);
}

TEST_F(tracker_test, address_that_moved_to_another_namespace_ends_there) {
  const auto old = tracker.set(whole, {"checkout", {}}, a_path);
  host.take(1, one);
  host.give(2, one);
  const auto fresh = tracker.set(whole, {"catalog", {}}, "");
  ASSERT_TRUE(fresh);
  EXPECT_TRUE(tracker.find(old->tenancy)->ended);
  EXPECT_FALSE(host.kernel.contains({1, whole}));
  EXPECT_TRUE(host.kernel.contains({2, whole}));
}

TEST_F(tracker_test, del_verifies_once_more_and_leaves_nothing_in_the_kernel) {
  const auto a = tracker.set(whole, {"checkout", {}}, a_path);
  host.time += 5 * second;
  const nanos before = host.time;
  ASSERT_TRUE(tracker.del(whole, ""));
  EXPECT_TRUE(host.kernel.empty());
  EXPECT_GT(tracker.find(a->tenancy)->until, before);
  EXPECT_FALSE(tracker.del(whole, ""));
}

TEST_F(tracker_test, late_del_cannot_end_the_successor) {
  const auto old = tracker.set(whole, {"checkout", {}}, a_path);
  const auto fresh = tracker.set(whole, {"catalog", {}}, a_path);
  EXPECT_FALSE(tracker.del(whole, a_path, old->tenancy));
  EXPECT_FALSE(tracker.find(fresh->tenancy)->ended);
}

TEST_F(tracker_test, released_and_taken_again_is_a_new_tenancy) {
  const auto first = tracker.set(whole, {"checkout", {}}, a_path);
  ASSERT_TRUE(tracker.del(whole, a_path));
  const auto again = tracker.set(whole, {"checkout", {}}, a_path);
  EXPECT_NE(first->tenancy, again->tenancy);
}

TEST_F(tracker_test, whole_address_and_ports_are_never_both) {
  ASSERT_TRUE(tracker.set(port80, {"checkout", {}}, a_path));
  ASSERT_TRUE(tracker.set(port81, {"catalog", {}}, a_path));
  EXPECT_FALSE(tracker.set(whole, {"gateway", {}}, a_path));
  EXPECT_EQ(tracker.list().size(), 2U);
  // Ports of a namespace that is gone are no obstacle.
  host.cookies.erase(a_path);
  host.give(2, one);
  EXPECT_TRUE(tracker.set(whole, {"gateway", {}}, b_path));
  EXPECT_EQ(tracker.list().size(), 1U);
}

TEST_F(tracker_test, refuses_what_is_not_there_and_what_cannot_be_held) {
  EXPECT_FALSE(tracker.set({*address::parse("10.0.0.2"), 0}, {"x", {}}, a_path));
  EXPECT_FALSE(tracker.set({*address::parse("127.0.0.1"), 0}, {"x", {}}, a_path));
  EXPECT_FALSE(tracker.set(whole, {"x", {}}, "/run/netns/none"));
  EXPECT_FALSE(tracker.set(whole, {"", {}}, a_path));
  host.map_full = true;
  EXPECT_FALSE(tracker.set(whole, {"x", {}}, a_path));
  EXPECT_TRUE(tracker.list().empty());
}

TEST_F(tracker_test, namespace_that_vanishes_ends_its_tenancies_where_they_were_last_verified) {
  const auto a = tracker.set(whole, {"checkout", {}}, a_path);
  const nanos verified = of(tracker.heartbeat(), a->tenancy)->until;
  host.cookies[a_path] = 9;  // the same path, another namespace
  host.give(9, one);
  const auto reports = tracker.heartbeat();
  EXPECT_TRUE(of(reports, a->tenancy)->ended);
  EXPECT_EQ(of(reports, a->tenancy)->until, verified);
  EXPECT_TRUE(tracker.list().empty());
}

TEST_F(tracker_test, ended_tenancies_are_repeated_and_then_forgotten) {
  const auto a = tracker.set(whole, {"checkout", {}}, a_path);
  ASSERT_TRUE(tracker.del(whole, a_path));
  host.time += 359 * second;
  EXPECT_NE(of(tracker.heartbeat(), a->tenancy), nullptr);
  host.time += 2 * second;
  EXPECT_EQ(of(tracker.heartbeat(), a->tenancy), nullptr);
  EXPECT_EQ(tracker.find(a->tenancy), nullptr);
}

TEST_F(tracker_test, near_end_has_to_be_the_flows_own) {
  const auto a = tracker.set(whole, {"checkout", {}}, a_path);
  observed_flow f;
  f.netns_cookie = 1;
  f.flow.near_address = one;
  f.flow.near_tenancy = a->tenancy;
  EXPECT_NE(tracker.near_end(f), nullptr);
  auto elsewhere = f;
  elsewhere.netns_cookie = 2;
  EXPECT_EQ(tracker.near_end(elsewhere), nullptr);
  auto other_address = f;
  other_address.flow.near_address = *address::parse("10.0.0.2");
  EXPECT_EQ(tracker.near_end(other_address), nullptr);
  auto earlier = f;
  earlier.open_before_agent = true;
  EXPECT_EQ(tracker.near_end(earlier), nullptr);
  auto foreign = f;
  foreign.flow.near_tenancy.incarnation = 78;
  EXPECT_EQ(tracker.near_end(foreign), nullptr);
}

/// Who had the address in truth, and since when: written down apart from the tracker.
struct truth {
  struct holding {
    std::string workload;
    nanos from = 0;
    nanos until = time_max;
  };
  std::vector<holding> all;
};

// Whatever a platform does within its contract, and whatever vanishes unseen: what is reported of a tenancy
// lies within one true holding of its workload.
RC_GTEST_PROP(tracker_property, reports_lie_inside_the_truth, ()) {
  scripted_host host;
  tenancy_tracker tracker{77, host, host, host, 360 * second};
  truth t;
  std::uint64_t next_cookie = 1;
  std::uint64_t holder = 0;
  std::map<tenancy_id, tenancy_report> told;
  const auto hear = [&](const std::vector<tenancy_report>& reports) {
    for (const auto& r : reports) told[r.id] = r;
  };
  const auto stop_holding = [&] {
    if (holder == 0) return;
    t.all.back().until = host.now();
    host.addresses[holder].clear();
    holder = 0;
  };
  const auto steps = *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 7));
  for (const int step : steps) {
    host.time += *rc::gen::inRange<nanos>(0, 3);
    switch (step) {
      case 0:
      case 1: {  // a new container takes the address, in a namespace of its own
        stop_holding();
        host.cookies.clear();
        holder = next_cookie++;
        host.cookies[a_path] = holder;
        host.give(holder, one);
        t.all.push_back({"w" + std::to_string(*rc::gen::inRange(0, 3)), host.now()});
        RC_ASSERT(tracker.set(whole, {t.all.back().workload, {}}, "").has_value());
        break;
      }
      case 2:  // it is released, as platforms should
        if (holder != 0) {
          (void)tracker.del(whole, "");
          stop_holding();
        }
        break;
      case 3:  // it dies unseen
        stop_holding();
        host.cookies.clear();
        break;
      case 4:
        hear(tracker.heartbeat());
        break;
      case 5:
        hear(tracker.changes());
        break;
      default:
        tracker.lost(holder, one);
        break;
    }
  }
  hear(tracker.heartbeat());
  for (const auto& [id, r] : told) {
    if (r.until <= r.from) continue;
    const bool inside = std::any_of(t.all.begin(), t.all.end(), [&](const truth::holding& h) {
      return h.workload == r.workload.name && h.from <= r.from && r.until <= h.until;
    });
    RC_ASSERT(inside);
  }
}

}  // namespace
}  // namespace tenure::agent
