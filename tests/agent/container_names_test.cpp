#include "agent/container_names.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <httplib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "agent/cri.hpp"

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

/// A CRI server by Google's own gRPC, with a container of this id.
const char* const cri_server = R"(
import sys, grpc
from concurrent import futures
path, wanted = sys.argv[1], sys.argv[2]
def field(n, b):
    size, head = len(b), bytes([n << 3 | 2])
    while size > 127:
        head, size = head + bytes([size & 127 | 128]), size >> 7
    return head + bytes([size]) + b
def label(k, v):
    return field(8, field(1, k) + field(2, v))
def answer(request, context):
    if request != field(1, field(1, wanted.encode())):
        return b''
    return field(1, field(1, wanted.encode()) + field(2, b'sandbox') + field(3, field(1, b'app')) +
                 field(4, field(1, b'shop/cart:3')) + bytes([6 << 3, 1]) +
                 label(b'io.kubernetes.pod.name', b'cart-7d9f') +
                 label(b'io.kubernetes.pod.namespace', b'shop') + label(b'tier', b'x' * 300))
method = grpc.unary_unary_rpc_method_handler(answer)
service = grpc.method_handlers_generic_handler('runtime.v1.RuntimeService', {'ListContainers': method})
server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((service,))
server.add_insecure_port('unix:' + path)
server.start()
server.wait_for_termination(60)
)";

TEST_F(container_names_test, asks_a_cri_socket) {
  const std::string path = folder + "/cri.sock";
  write("server.py", cri_server);
  const std::string script = folder + "/server.py";
  const pid_t server = ::fork();
  if (server == 0) {
    ::execl("/usr/bin/python3", "python3", script.c_str(), path.c_str(), id.c_str(), nullptr);
    ::_exit(127);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  std::optional<container> said;
  while (!said && std::chrono::steady_clock::now() < end && ::waitpid(server, nullptr, WNOHANG) == 0) {
    container_names names(clock, {}, {"cri:" + path});
    if (const auto* c = names.find(id)) said = *c;
    if (said && names.find(std::string(64, 'd')) != nullptr) ADD_FAILURE() << "another's id";
    std::this_thread::yield();
  }
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  ASSERT_TRUE(said);
  EXPECT_EQ(said->name, "app");
  EXPECT_EQ(said->image, "shop/cart:3");
  EXPECT_EQ(said->pod, "cart-7d9f");
  EXPECT_EQ(said->pod_namespace, "shop");
  EXPECT_EQ(said->labels.at(2), (std::pair<std::string, std::string>{"tier", std::string(300, 'x')}));
}

TEST_F(container_names_test, a_cri_socket_that_speaks_something_else_is_nobody) {
  const std::string path = folder + "/http1.sock";
  httplib::Server other;
  other.set_address_family(AF_UNIX);
  ASSERT_TRUE(other.bind_to_port(path, 80));
  std::thread serving([&] { other.listen_after_bind(); });
  EXPECT_FALSE(call_cri(path, "/x", "", std::chrono::milliseconds{2000}));
  EXPECT_FALSE(call_cri(folder + "/none.sock", "/x", "", std::chrono::milliseconds{2000}));
  other.stop();
  serving.join();
}

RC_GTEST_PROP(container_names_property, any_cri_reply_is_survived, (const std::string& text)) {
  (void)read_cri_reply(text, "x");
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
