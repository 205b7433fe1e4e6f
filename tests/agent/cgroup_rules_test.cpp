#include "agent/cgroup_rules.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::agent {
namespace {

const std::string id(64, 'a');
const std::string uid = "6f1c2d3e-0a1b-4c5d-8e9f-001122334455";
const std::string uid_in_systemd = "6f1c2d3e_0a1b_4c5d_8e9f_001122334455";

std::string name_of(const std::string& path, const container* runs = nullptr,
                    const std::vector<std::string>& own = {}) {
  const auto rules = cgroup_rules::make(own);
  if (!rules) return "refused: " + rules.error().text;
  const auto w = (*rules)->workload_of(path, runs);
  return w ? w->name : "nobody";
}

TEST(cgroup_rules, names_what_each_runtime_makes) {
  container web;
  web.name = "web";
  web.image = "nginx:1";
  for (const auto& path :
       {"/system.slice/docker-" + id + ".scope", "/docker/" + id, "/docker/" + id + "/init.scope",
        "/machine.slice/libpod-" + id + ".scope/container", "/libpod_parent/libpod-" + id,
        "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope", "/default/" + id,
        "/system.slice/containerd.service/cri-containerd-" + id + ".scope", "/crio-" + id + ".scope"}) {
    EXPECT_EQ(name_of(path, &web), "web") << path;
    EXPECT_EQ(std::string(container_id_in(path)), id) << path;
  }
  EXPECT_EQ(name_of("/system.slice/docker-" + id + ".scope"), "docker-aaaaaaaaaaaa");
  EXPECT_EQ(name_of("/machine.slice/libpod-conmon-" + id + ".scope", &web), "nobody");
}

TEST(cgroup_rules, all_containers_of_a_pod_have_the_pods_name) {
  container main;
  main.name = "app";
  main.pod = "cart-7d9f";
  main.pod_namespace = "shop";
  const auto systemd = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_in_systemd +
                       ".slice/cri-containerd-" + id + ".scope";
  const auto cgroupfs = "/kubepods/besteffort/pod" + uid + "/" + id;
  const auto guaranteed = "/kubepods.slice/kubepods-pod" + uid_in_systemd + ".slice/crio-" + id + ".scope";
  for (const auto& path : {systemd, cgroupfs, guaranteed}) EXPECT_EQ(name_of(path, &main), "shop/cart-7d9f");
  EXPECT_EQ(name_of(systemd), "pod-" + uid_in_systemd);
  EXPECT_EQ(name_of(cgroupfs), "pod-" + uid);
}

TEST(cgroup_rules, names_systemd_units_and_nothing_else) {
  EXPECT_EQ(name_of("/system.slice/nginx.service"), "nginx.service");
  EXPECT_EQ(name_of("/system.slice/system-getty.slice/getty@tty1.service"), "getty@tty1.service");
  EXPECT_EQ(name_of("/system.slice/my\\x2dapp.service/worker"), "my-app.service");
  for (const char* path : {"/", "", "/init.scope", "/user.slice/user-0.slice/session-1.scope"})
    EXPECT_EQ(name_of(path), "nobody") << path;
}

TEST(cgroup_rules, own_rules_come_first_and_may_say_that_somebody_is_nobody) {
  container c;
  c.labels = {{"app", "cart"}};
  EXPECT_EQ(name_of("/docker/" + id, &c, {"/docker/ => ${label:app}$$"}), "cart$");
  EXPECT_EQ(name_of("/docker/" + id, nullptr, {"/docker/ => ${label:app}"}), "docker-aaaaaaaaaaaa")
      << "nobody says the label, so the next rule is asked";
  EXPECT_EQ(name_of("/system.slice/ssh.service", nullptr, {"/ssh\\.service$ =>"}), "nobody");
}

TEST(cgroup_rules, what_is_wrong_is_said_with_the_rule) {
  const auto refused = [](const char* rule, const char* why) {
    const auto r = cgroup_rules::make({rule});
    ASSERT_FALSE(r) << rule;
    EXPECT_NE(r.error().text.find(why), std::string::npos) << r.error().text;
    EXPECT_NE(r.error().text.find(rule), std::string::npos) << r.error().text;
  };
  refused("no arrow", "PATTERN => NAME");
  refused("=> name", "a pattern");
  refused("( => name", "(");
  refused("a => $1", "no parentheses");
  refused("(a) => $2", "no parentheses");
  refused("a => $x", "no parentheses");
  refused("a => ${colour}", "known are");
  refused("a => ${name", "}");
  refused("a => $", "dollar");
}

RC_GTEST_PROP(cgroup_rules_property, any_path_is_survived_and_a_name_is_valid, (const std::string& path)) {
  static const auto rules = cgroup_rules::make({"(.*)(/.*)* => $1"});
  const auto w = (*rules)->workload_of(path, nullptr);
  if (w) RC_ASSERT(!w->name.empty() && wire::valid_text(w->name));
}

}  // namespace
}  // namespace tenure::agent
