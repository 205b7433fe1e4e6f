#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <netinet/in.h>
#include <regex>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/process/child.hpp"
#include "tests/process/played_fleet.hpp"

// `tenure node` as a real process: how it begins, refuses and ends.
namespace tenure::testing {
namespace {

struct running_node {
  child process;
  std::uint16_t port = 0;
  std::uint16_t http = 0;

  explicit running_node(const std::string& output, std::vector<std::string> more = {})
      : process(arguments(output, std::move(more))) {
    EXPECT_TRUE(process.says("HTTP 127.0.0.1:")) << process.err();
    std::smatch found;
    const std::string log = process.err();
    if (std::regex_search(log, found, std::regex{"agents 127.0.0.1:(\\d+), HTTP 127.0.0.1:(\\d+)"})) {
      port = static_cast<std::uint16_t>(std::stoi(found[1]));
      http = static_cast<std::uint16_t>(std::stoi(found[2]));
    }
  }

  static std::vector<std::string> arguments(const std::string& output, std::vector<std::string> more) {
    std::vector<std::string> all{tenure_binary(), "node",        "--listen", "127.0.0.1:0",
                                 "--http",        "127.0.0.1:0", "--output", output};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  const timeval bound{10, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof bound);
  return fd;
}

/// Sends the bytes and reads until the other side closes. @returns whether it did within the bound.
bool closed_after(std::uint16_t port, const std::string& bytes) {
  const int fd = connect_to(port);
  [[maybe_unused]] const auto sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  char buffer[4096];
  ssize_t got = 1;
  while (got > 0) got = ::recv(fd, buffer, sizeof buffer, 0);
  const bool closed = got == 0 || errno == ECONNRESET;
  ::close(fd);
  return closed;
}

TEST(node_process, ends_with_zero_on_a_signal) {
  temporary_folder folder;
  running_node node(folder / "out.ndjson");
  EXPECT_EQ(http_get(node.http, "/healthz"), "ok\n");
  node.process.signal(SIGTERM);
  EXPECT_EQ(node.process.wait(), 0) << node.process.err();
}

TEST(node_process, a_port_in_use_is_refused_with_3_and_one_line) {
  temporary_folder folder;
  running_node node(folder / "out.ndjson");
  child second({tenure_binary(), "node", "--listen", "127.0.0.1:" + std::to_string(node.port), "--http", "",
                "--output", folder / "other.ndjson"});
  EXPECT_EQ(second.wait(), 3);
  EXPECT_NE(second.err().find(std::to_string(node.port)), std::string::npos) << second.err();
  child third({tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http",
               "127.0.0.1:" + std::to_string(node.http), "--output", folder / "third.ndjson"});
  EXPECT_EQ(third.wait(), 3) << third.err();
}

TEST(node_process, one_that_listens_at_one_of_two_addresses_only_ends) {
  temporary_folder folder;
  const node_process first(folder / "first.ndjson", {});
  child second({tenure_binary(), "node", "--listen", "127.0.0.1:0", "--listen-also", first.address(),
                "--http", "", "--output", folder / "second.ndjson"});
  EXPECT_EQ(second.wait(), 3) << second.err();
  EXPECT_NE(second.err().find(first.address()), std::string::npos) << second.err();
}

TEST(node_process, an_output_that_cannot_be_opened_is_refused) {
  child node(
      {tenure_binary(), "node", "--listen", "127.0.0.1:0", "--http", "", "--output", "/nonexistent/x"});
  EXPECT_EQ(node.wait(), 2);
  EXPECT_NE(node.err().find("/nonexistent/x"), std::string::npos) << node.err();
}

TEST(node_process, each_shard_has_a_thread_of_its_own) {
  temporary_folder folder;
  node_process one(folder / "one.ndjson", {"--threads", "1", "--shards", "1"});
  node_process five(folder / "five.ndjson", {"--threads", "1", "--shards", "5"});
  const auto threads = [](node_process& n) {
    const std::filesystem::directory_iterator all("/proc/" + std::to_string(n.process().id()) + "/task");
    return std::distance(begin(all), end(all));
  };
  // Those of the HTTP server come and go.
  EXPECT_TRUE(eventually([&] { return threads(five) == threads(one) + 4; }, std::chrono::seconds{30}))
      << threads(one) << " and " << threads(five);
}

TEST(node_process, held_flows_may_take_a_quarter_of_the_memory_unless_it_is_told_otherwise) {
  temporary_folder folder;
  auto there_is =
      static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
  std::ifstream group("/sys/fs/cgroup/memory.max");
  if (double most = 0; group >> most) there_is = std::min(there_is, most);
  const node_process untold(folder / "untold.ndjson", {});
  EXPECT_NEAR(untold.metric_now("tenure_node_held_limit_bytes"), there_is / 4, 1);
  const node_process told(folder / "told.ndjson", {"--held-memory", "5MiB"});
  EXPECT_EQ(told.metric_now("tenure_node_held_limit_bytes"), 5 << 20);
}

TEST(node_process, more_shards_than_any_machine_could_run_are_refused) {
  child node({tenure_binary(), "node", "--shards", "1025", "--output", "/dev/null"});
  EXPECT_EQ(node.wait(), 2);
  EXPECT_NE(node.err().find("--shards: expected at most 1024"), std::string::npos) << node.err();
}

TEST(node_process, more_threads_than_any_machine_could_use_are_refused) {
  child node({tenure_binary(), "node", "--threads", "1000000", "--output", "/dev/null"});
  EXPECT_EQ(node.wait(), 2);
  EXPECT_NE(node.err().find("--threads: expected at most 1024"), std::string::npos) << node.err();
}

TEST(node_process, an_unknown_key_is_refused_with_its_place) {
  temporary_folder folder;
  std::ofstream(folder / "t.toml") << "[node]\nhold = \"1s\"\nholdd = \"1s\"\n";
  child node({tenure_binary(), "node", "--config", folder / "t.toml"});
  EXPECT_EQ(node.wait(), 2);
  EXPECT_NE(node.err().find("t.toml:3"), std::string::npos) << node.err();
  EXPECT_NE(node.err().find("holdd"), std::string::npos) << node.err();
}

TEST(node_process, garbage_on_the_wire_closes_that_connection_alone) {
  temporary_folder folder;
  running_node node(folder / "out.ndjson");
  const int bystander = connect_to(node.port);
  EXPECT_TRUE(closed_after(node.port, std::string(64, '\xff')));  // a frame that is too long
  EXPECT_TRUE(closed_after(node.port, std::string("\x10\0\0\0", 4) + std::string(16, '\x7f')));  // no message
  EXPECT_TRUE(closed_after(node.port, "GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(eventually(
      [&] { return metric(http_get(node.http, "/metrics"), "tenure_node_frames_refused_total") >= 1; },
      std::chrono::seconds{10}));
  char byte = 0;
  EXPECT_EQ(::recv(bystander, &byte, 1, MSG_DONTWAIT), -1);
  EXPECT_TRUE(errno == EAGAIN || errno == EWOULDBLOCK) << "the bystander was closed too";
  ::close(bystander);
  EXPECT_EQ(http_get(node.http, "/healthz"), "ok\n");
}

}  // namespace
}  // namespace tenure::testing
