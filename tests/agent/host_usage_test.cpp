#include "agent/host_usage.hpp"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/listeners.hpp"
#include "tests/agent/kernel_world.hpp"

namespace tenure::agent {
namespace {

address a(const char* text) {
  return address::parse(text).value();
}

std::optional<wire::workload> by_path(const std::string& path) {
  if (path == "/nobody") return std::nullopt;
  return wire::workload{path.substr(1), {}};
}

std::optional<wire::workload> by_id(std::uint64_t id) {
  if (id == 0) return std::nullopt;
  return wire::workload{"unit-" + std::to_string(id), {}};
}

host_picture one_container() {
  host_picture p;
  p.own = {"own", 1};
  p.own_addresses = {a("10.0.0.1"), a("127.0.0.1"), a("2001:db8::1")};
  p.others.push_back({{"/proc/7/ns/net", 7}, {a("10.1.0.7"), a("fe80::7"), a("172.17.0.2")}, {"/web"}});
  p.cgroup_ids = {{"/web", 70}, {"/side", 71}, {"/nobody", 72}};
  return p;
}

const usage_settings settings{{*prefix::parse("10.1.0.0/16")}, std::nullopt, true};

std::vector<std::string> told(const host_picture& p, const usage_settings& s = settings) {
  std::vector<std::string> out;
  for (const auto& u : usages_of(p, s, by_path, by_id))
    out.push_back(std::to_string(u.netns.cookie) + " " + u.endpoint.to_string() + " " + u.workload.name);
  return out;
}

listener on(const char* where, std::uint16_t port, std::uint64_t cgroup, std::uint64_t cookie) {
  listener l;
  l.address = a(where);
  l.port = port;
  l.any_v4 = std::string(where) == "0.0.0.0";
  l.any_v6 = std::string(where) == "::";
  l.cgroup = cgroup;
  l.cookie = cookie;
  return l;
}

TEST(usages, a_container_alone_in_its_namespace_holds_its_unique_addresses) {
  EXPECT_EQ(told(one_container()), (std::vector<std::string>{"7 10.1.0.7 web"}));
  const auto all = usages_of(one_container(), settings, by_path, by_id);
  EXPECT_EQ(all.at(0).witnesses, (std::vector<std::uint64_t>{70}));
}

TEST(usages, a_container_that_passes_packets_on_holds_nothing_whole) {
  auto p = one_container();
  p.others[0].passes_on = true;
  EXPECT_TRUE(told(p).empty());
}

TEST(usages, who_shares_a_namespace_with_another_holds_nothing) {
  for (const char* other : {"/side", "/nobody"}) {
    auto p = one_container();
    p.others[0].cgroups.insert(other);
    EXPECT_TRUE(told(p).empty()) << other;
  }
}

TEST(usages, a_cgroup_that_is_gone_proves_nothing) {
  auto p = one_container();
  p.cgroup_ids["/web"] = 0;
  EXPECT_TRUE(told(p).empty());
}

TEST(usages, a_port_is_of_who_listens_alone_on_it) {
  auto p = one_container();
  p.others.clear();
  p.own_listeners = {on("0.0.0.0", 80, 5, 501), on("127.0.0.1", 81, 5, 502), on("10.0.0.1", 82, 5, 503),
                     on("::", 83, 6, 504), on("0.0.0.0", 84, 0, 505)};
  EXPECT_EQ(told(p), (std::vector<std::string>{"1 10.0.0.1:80 unit-5", "1 10.0.0.1:82 unit-5",
                                               "1 [2001:db8::1]:83 unit-6"}));
  p.own_listeners.push_back(on("10.0.0.1", 80, 6, 506));
  p.own_listeners.push_back(on("10.0.0.1", 82, 5, 507));
  EXPECT_EQ(told(p), (std::vector<std::string>{"1 10.0.0.1:82 unit-5", "1 [2001:db8::1]:83 unit-6"}))
      << "two listen on port 80";
}

TEST(usages, a_listener_without_a_name_is_the_hosts) {
  auto p = one_container();
  p.others.clear();
  p.own_listeners = {on("0.0.0.0", 84, 0, 505)};
  auto named = settings;
  named.host = wire::workload{"gateway", {}};
  EXPECT_EQ(told(p, named), (std::vector<std::string>{"1 10.0.0.1:84 gateway"}));
  named.ports = false;
  EXPECT_TRUE(told(p, named).empty());
}

TEST(listeners, the_kernel_says_who_listens_where) {
  const testing::kernel_world world;
  std::vector<listener> all;
  file_descriptor v4;
  file_descriptor v6;
  world.inside("east", [&] {
    v4 = testing::listen_on(*endpoint::parse("10.77.0.2:8080"));
    v6 = testing::listen_on(*endpoint::parse("[fd77::2]:8081"));
    if (auto dumped = dump_listeners()) all = *dumped;
  });
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].address, a("10.77.0.2"));
  EXPECT_EQ(all[0].port, 8080);
  EXPECT_EQ(all[1].address, a("fd77::2"));
  EXPECT_NE(all[0].cookie, all[1].cookie);
  EXPECT_NE(all[0].cgroup, 0U);
  EXPECT_TRUE(all[0].listens_on(a("10.77.0.2")));
  EXPECT_FALSE(all[0].listens_on(a("10.77.0.3")));
}

TEST(cgroups, an_id_and_its_path_lead_to_each_other_until_it_is_gone) {
  const auto mount = find_cgroup_mount();
  ASSERT_TRUE(mount) << mount.error().text;
  const std::string path = "/tenure-test-" + std::to_string(::getpid()) + "/a.service";
  std::filesystem::create_directories(*mount + path);
  const auto id = cgroup_id_of(path, *mount);
  EXPECT_NE(id, 0U);
  EXPECT_EQ(cgroup_path_of(id, *mount), path);
  std::filesystem::remove(*mount + path);
  EXPECT_EQ(cgroup_path_of(id, *mount), "");
  EXPECT_EQ(cgroup_id_of(path, *mount), 0U);
  std::filesystem::create_directory(*mount + path);
  EXPECT_NE(cgroup_id_of(path, *mount), id) << "an id never comes back";
  std::filesystem::remove(*mount + path);
  std::filesystem::remove(*mount + "/tenure-test-" + std::to_string(::getpid()));
}

RC_GTEST_PROP(listeners_property, any_bytes_are_survived, (const std::vector<std::uint8_t>& bytes)) {
  std::vector<listener> all;
  read_listeners(std::as_bytes(std::span(bytes)), all);
}

}  // namespace
}  // namespace tenure::agent
