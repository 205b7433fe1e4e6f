#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/agent/kernel_world.hpp"
#include "tests/process/child.hpp"

// What may change while an agent runs, and what it may do at all.
namespace tenure::testing {
namespace {

using std::chrono::seconds;

struct agent_settings : ::testing::Test {
  temporary_folder folder;
  std::string output = folder / "out.ndjson";
  std::string file = folder / "tenure.toml";
  std::string pin = "/sys/fs/bpf/tenure-settings-" + std::to_string(::getpid());
  std::unique_ptr<kernel_world> world;
  std::unique_ptr<child> node;
  std::unique_ptr<child> agent;

  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    world = std::make_unique<kernel_world>();
    node =
        std::make_unique<child>(std::vector<std::string>{tenure_binary(), "node", "--listen", "127.0.0.1:0",
                                                         "--http", "", "--output", output, "--hold", "1s"});
    ASSERT_TRUE(node->says("agents 127.0.0.1:")) << node->err();
    const auto log = node->err();
    auto at = log.find("agents 127.0.0.1:") + 7;
    node_address = log.substr(at, log.find_first_of(", \n", at) - at);
    settings("netns = [\"" + world->path("north") + "\"]\n");
    agent = std::make_unique<child>(std::vector<std::string>{tenure_binary(), "agent", "--config", file,
                                                             "--node", node_address, "--ipman-socket", "",
                                                             "--pin", pin, "--linger", "50ms", "--http", ""});
    ASSERT_TRUE(agent->says("connected to node")) << agent->err();
    // Said once the file is watched.
    ASSERT_TRUE(agent->says("agent: nodes")) << agent->err();
  }
  void TearDown() override {
    agent.reset();
    node.reset();
    std::filesystem::remove_all(pin);
  }

  void settings(const std::string& text) const {
    std::ofstream(file + ".new") << "[agent]\n" << text;
    std::filesystem::rename(file + ".new", file);
  }

  int said(const std::string& text) const {
    const auto log = agent->err();
    int n = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++n;
    return n;
  }

  /// A refused connect, to this port.
  void connect(const char* from, const std::string& address, int port) const {
    world->inside(from, [&] {
      agent::file_descriptor made;
      EXPECT_LT(connect_to(*endpoint::parse(address + ":" + std::to_string(port)), made), 0);
    });
  }
  void connect(int port) const { connect("west", "10.77.0.2", port); }
  /// One of `north`'s, of which is known when it was reported: the agent passes flows on in their order, so
  /// it has then looked at all before, by the settings of that time.
  void connect_and_see(int port) const {
    connect("north", "10.78.0.1", port);
    ASSERT_TRUE(eventually([&] { return reported(port); }, seconds{30})) << agent->err();
  }
  bool reported(int port) const {
    std::ifstream in(output);
    const std::string all{std::istreambuf_iterator<char>(in), {}};
    return all.find("\"destination_port\":" + std::to_string(port)) != std::string::npos;
  }

  std::string node_address;
};

TEST_F(agent_settings, a_changed_file_and_sighup_are_read_and_an_invalid_file_is_refused_whole) {
  connect(7001);
  connect_and_see(7101);
  settings("netns = [\"" + world->path("west") + "\"]\nnonsense = 1\n");
  ASSERT_TRUE(agent->says("the old ones stay")) << agent->err();
  connect(7002);
  connect_and_see(7102);
  settings("netns = [\"/there/is/none\"]\nlinger = \"20ms\"\n");
  ASSERT_TRUE(eventually([&] { return said("the old ones stay") == 2; }, seconds{30})) << agent->err();
  EXPECT_EQ(said("read again"), 0);
  settings("netns = [\"" + world->path("west") + "\"]\n");
  ASSERT_TRUE(agent->says("settings: read again")) << agent->err();
  connect(7003);
  EXPECT_TRUE(eventually([&] { return reported(7003); }, seconds{30}));
  EXPECT_FALSE(reported(7001));
  EXPECT_FALSE(reported(7002));
  agent->signal(SIGHUP);
  EXPECT_TRUE(eventually([&] { return said("read again") == 2; }, seconds{30})) << agent->err();
  agent->signal(SIGTERM);
  EXPECT_EQ(agent->wait(), 0) << agent->err();
}

TEST_F(agent_settings, it_keeps_no_capability_that_it_does_not_need) {
  std::ifstream status("/proc/" + std::to_string(agent->id()) + "/status");
  int found = 0;
  for (std::string line; std::getline(status, line);) {
    for (const char* set : {"CapPrm:", "CapEff:", "CapBnd:"}) {
      if (!line.starts_with(set)) continue;
      ++found;
      // BPF, PERFMON, NET_ADMIN, SYS_ADMIN, SYS_PTRACE, DAC_READ_SEARCH.
      constexpr std::uint64_t needed =
          1ULL << 39 | 1ULL << 38 | 1ULL << 12 | 1ULL << 21 | 1ULL << 19 | 1ULL << 2;
      EXPECT_EQ(std::stoull(line.substr(8), nullptr, 16) & ~needed, 0U) << line;
    }
    if (line.starts_with("NoNewPrivs:")) {
      ++found;
      EXPECT_NE(line.find('1'), std::string::npos);
    }
  }
  EXPECT_EQ(found, 4);
}

TEST(agent_unit, exposes_no_more_than_bpf_and_namespaces_need) {
  child rating({"systemd-analyze", "security", "--offline=true", "--threshold=40", "--no-pager",
                TENURE_SOURCE_DIR "/config/systemd/tenure-agent.service"});
  EXPECT_EQ(rating.wait(), 0) << rating.out() << rating.err();
}

}  // namespace
}  // namespace tenure::testing
