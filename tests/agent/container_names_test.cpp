#include "agent/container_names.hpp"

#include <filesystem>
#include <fstream>
#include <httplib.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::agent {
namespace {

struct hand_clock final : boot_clock {
  nanos time = second;
  nanos now() const override { return time; }
};

struct container_names_test : ::testing::Test {
  std::string folder = "/tmp/tenure-containers-XXXXXX";
  hand_clock clock;
  const std::string id = std::string(64, 'b');
  void SetUp() override { ASSERT_NE(::mkdtemp(folder.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder); }
  void write(const std::string& name, const std::string& content) const {
    const std::filesystem::path path = folder + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << content;
  }
};

TEST_F(container_names_test, reads_the_bundles_of_containerd_and_crio) {
  write("containerd/" + id + "/config.json", R"({"ociVersion":"1.1","annotations":{
    "io.kubernetes.cri.sandbox-name":"cart-7d9f","io.kubernetes.cri.sandbox-namespace":"shop",
    "io.kubernetes.cri.container-name":"app","io.kubernetes.cri.image-name":"shop/cart:3"}})");
  const std::string other(64, 'c');
  write("crio/" + other + "/userdata/config.json", R"({"annotations":{
    "io.kubernetes.pod.name":"db-0","io.kubernetes.pod.namespace":"shop","io.kubernetes.container.name":"pg"}})");
  container_names names(clock, {folder + "/containerd", folder + "/crio"}, {});
  const auto* c = names.find(id);
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(c->pod, "cart-7d9f");
  EXPECT_EQ(c->pod_namespace, "shop");
  EXPECT_EQ(c->name, "app");
  EXPECT_EQ(c->image, "shop/cart:3");
  c = names.find(other);
  ASSERT_NE(c, nullptr);
  EXPECT_EQ(c->pod, "db-0");
}

TEST_F(container_names_test, asks_again_later_for_what_nobody_knew) {
  container_names names(clock, {folder}, {});
  EXPECT_EQ(names.find(id), nullptr);
  write(id + "/config.json", R"({"annotations":{"nerdctl/name":"web"}})");
  EXPECT_EQ(names.find(id), nullptr);
  clock.time += 31 * second;
  ASSERT_NE(names.find(id), nullptr);
  EXPECT_EQ(names.find(id)->name, "web");
}

TEST_F(container_names_test, asks_a_runtimes_socket) {
  const std::string path = folder + "/runtime.sock";
  httplib::Server runtime;
  runtime.Get("/containers/" + id + "/json", [](const httplib::Request&, httplib::Response& r) {
    r.set_content(R"({"Name":"/web","Config":{"Image":"nginx:1","Labels":{"app":"shop"}}})",
                  "application/json");
  });
  runtime.set_address_family(AF_UNIX);
  ASSERT_TRUE(runtime.bind_to_port(path, 80));
  std::thread serving([&] { runtime.listen_after_bind(); });
  container_names names(clock, {}, {folder + "/there-is-none.sock", path});
  const auto* c = names.find(id);
  EXPECT_EQ(names.find(std::string(64, 'd')), nullptr);
  runtime.stop();
  serving.join();
  ASSERT_NE(c = names.find(id), nullptr);
  EXPECT_EQ(c->name, "web");
  EXPECT_EQ(c->image, "nginx:1");
  EXPECT_EQ(c->labels, (decltype(c->labels){{"app", "shop"}}));
}

TEST_F(container_names_test, a_socket_that_does_not_answer_costs_a_moment_once) {
  const std::string path = folder + "/silent.sock";
  httplib::Server silent;  // bound, never served
  silent.set_address_family(AF_UNIX);
  ASSERT_TRUE(silent.bind_to_port(path, 80));
  container_names names(clock, {}, {path});
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(names.find(std::to_string(i)), nullptr);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{10});
}

RC_GTEST_PROP(container_names_property, any_answer_is_survived, (const std::string& text)) {
  (void)read_bundle(text);
  (void)read_inspection(text);
}

TEST(container_names, odd_types_are_nothing) {
  for (const char* text :
       {"", "null", "[]", "1", R"({"annotations":[]})", R"({"annotations":{"nerdctl/name":1}})",
        R"({"Name":{},"Config":{"Labels":[1]}})", R"({"Config":7})"}) {
    EXPECT_FALSE(read_bundle(text)) << text;
    EXPECT_FALSE(read_inspection(text)) << text;
  }
}

}  // namespace
}  // namespace tenure::agent
