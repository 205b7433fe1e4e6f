#include "agent/ipman.hpp"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tenure::agent {
namespace {

TEST(ipman_protocol, reads_what_it_writes) {
  ipman_request r;
  r.verb = ipman_request::action::set;
  r.endpoint = "10.0.0.1:443";
  r.workload = "checkout \"x\"";
  r.labels = {{"zone", "b"}};
  r.netns = "/run/netns/a";
  const auto again = parse_ipman_request(format_ipman_request(r));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->endpoint, r.endpoint);
  EXPECT_EQ(again->workload, r.workload);
  EXPECT_EQ(again->labels, r.labels);
  EXPECT_EQ(again->netns, r.netns);
}

TEST(ipman_protocol, says_what_was_expected) {
  const auto refused = [](const char* line, const char* expected) {
    const auto r = parse_ipman_request(line);
    ASSERT_FALSE(r) << line;
    EXPECT_NE(r.error().text.find(expected), std::string::npos) << line << ": " << r.error().text;
  };
  refused("", "one JSON object");
  refused("[]", "one JSON object");
  refused("{\"verb\":\"get\"}", "set, del or list");
  refused("{\"verb\":\"set\",\"endpoint\":\"10.0.0.1\"}", "'workload'");
  refused("{\"verb\":\"set\",\"endpoint\":1,\"workload\":\"x\"}", "text for 'endpoint'");
  refused("{\"verb\":\"list\",\"more\":1}", "unknown key 'more'");
  refused("{\"verb\":\"set\",\"endpoint\":\"a\",\"workload\":\"x\",\"labels\":{\"k\":1}}", "label");
}

RC_GTEST_PROP(ipman_protocol_property, no_line_breaks_it, (const std::string& line)) {
  (void)parse_ipman_request(line);
}

struct ipman_socket : ::testing::Test {
  std::string folder;
  std::string path;
  void SetUp() override {
    std::string name = "/tmp/tenure-ipman-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
    path = folder + "/deep/ipman.sock";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  static std::string echo(const ipman_request& r) {
    return "{\"ok\":true,\"workload\":\"" + r.workload + "\"}";
  }
  ipman_request set() const {
    ipman_request r;
    r.verb = ipman_request::action::set;
    r.endpoint = "10.0.0.1";
    r.workload = "checkout";
    return r;
  }
};

TEST_F(ipman_socket, answers_each_request_and_is_for_root_alone) {
  const auto server = ipman_server::start(path, echo);
  ASSERT_TRUE(server);
  struct stat s {};
  ASSERT_EQ(::stat(path.c_str(), &s), 0);
  EXPECT_EQ(s.st_mode & 0777U, 0600U);
  for (int i = 0; i < 100; ++i) {
    const auto reply = ipman_call(path, set());
    ASSERT_TRUE(reply) << reply.error().text;
    EXPECT_EQ(*reply, "{\"ok\":true,\"workload\":\"checkout\"}");
  }
}

TEST_F(ipman_socket, takes_the_place_of_a_dead_agents_socket_but_not_of_a_live_one) {
  {
    const auto first = ipman_server::start(path, echo);
    ASSERT_TRUE(first);
    const auto second = ipman_server::start(path, echo);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().trouble, trouble::refused);
    EXPECT_TRUE(ipman_call(path, set()));
  }
  // What a killed agent leaves: a socket file on which nobody listens.
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strcpy(at.sun_path, path.c_str());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  ::close(fd);
  EXPECT_TRUE(ipman_server::start(path, echo));
}

TEST_F(ipman_socket, nobody_there_is_a_refusal) {
  const auto reply = ipman_call(path, set());
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().trouble, trouble::refused);
}

TEST_F(ipman_socket, endless_line_is_refused_and_others_are_served) {
  const auto server = ipman_server::start(path, echo);
  ASSERT_TRUE(server);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strcpy(to.sun_path, path.c_str());
  ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const std::string endless(70'000, 'x');
  [[maybe_unused]] const auto sent = ::send(fd, endless.data(), endless.size(), MSG_NOSIGNAL);
  const timeval bound{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  std::string heard;
  char buffer[512];
  for (ssize_t n = 0; (n = ::recv(fd, buffer, sizeof buffer, 0)) > 0;)
    heard.append(buffer, static_cast<std::size_t>(n));
  EXPECT_NE(heard.find("65536"), std::string::npos) << heard;
  ::close(fd);
  EXPECT_TRUE(ipman_call(path, set()));
}

TEST_F(ipman_socket, malformed_line_gets_a_refusal_and_the_connection_goes_on) {
  const auto server = ipman_server::start(path, echo);
  ASSERT_TRUE(server);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::strcpy(to.sun_path, path.c_str());
  ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const timeval bound{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  const std::string lines = "nonsense\n" + format_ipman_request(set()) + "\n";
  ASSERT_EQ(::send(fd, lines.data(), lines.size(), MSG_NOSIGNAL), static_cast<ssize_t>(lines.size()));
  std::string heard;
  char buffer[512];
  while (std::count(heard.begin(), heard.end(), '\n') < 2) {
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    ASSERT_GT(n, 0);
    heard.append(buffer, static_cast<std::size_t>(n));
  }
  EXPECT_NE(heard.find("\"ok\":false"), std::string::npos);
  EXPECT_NE(heard.find("\"ok\":true"), std::string::npos);
  ::close(fd);
}

}  // namespace
}  // namespace tenure::agent
