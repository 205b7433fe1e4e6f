#include "demo/fleet.hpp"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include <gtest/gtest.h>

#include "demo/demo.hpp"
#include "demo/run_folder.hpp"

// The fleet without an agent: real namespaces, real processes, real connections. Needs root; fails without,
// unless TENURE_WITHOUT_BPF=1 says that this machine is known to lack what it takes.
namespace tenure::demo {
namespace {

namespace fs = std::filesystem;

/// Gives out ids and believes everything.
class credulous_platform final : public platform {
 public:
  outcome<std::string> set(address a, const std::string&, const std::string& netns) override {
    if (!fs::exists(netns)) return fail(trouble::refused, netns + " is not there");
    held.emplace_back(a, netns);
    return "t-" + std::to_string(++given);
  }
  outcome<void> del(address a, const std::string& netns) override {
    return std::erase(held, std::pair(a, netns)) == 1
               ? outcome<void>{}
               : fail(trouble::refused, a.to_string() + " was not held there");
  }
  std::vector<std::pair<address, std::string>> held;
  std::uint64_t given = 0;
};

std::vector<std::string> names_in(const char* folder, const std::string& start) {
  std::vector<std::string> found;
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    if (entry.path().filename().string().starts_with(start)) found.push_back(entry.path().filename());
  }
  return found;
}

class Fleet : public testing::Test {
 protected:
  void SetUp() override {
    const char* without = std::getenv("TENURE_WITHOUT_BPF");
    if (without != nullptr && std::string(without) == "1") GTEST_SKIP() << "TENURE_WITHOUT_BPF=1";
    ASSERT_EQ(::geteuid(), 0U) << "namespaces need root";
    options.seed = 42;
    options.slots = 10;
    options.connections_per_second = 100;
    options.churn = {150 * millisecond, 500 * millisecond};
  }
  fleet_options options;
  credulous_platform platform_;
};

TEST_F(Fleet, TellsATruthOnWhichBothEndsAgree) {
  std::string name;
  {
    auto folder = run_folder::create();
    ASSERT_TRUE(folder) << folder.error().text;
    name = folder->name();
    truth_book truth(pool(options.subnet, options.slots));
    const auto self = fs::read_symlink("/proc/self/exe").string();
    auto f = fleet::create(name, options, {{self, instance_command_name}}, platform_, truth);
    ASSERT_TRUE(f) << f.error().text;
    const auto populated = (*f)->populate();
    ASSERT_TRUE(populated) << populated.error().text;
    EXPECT_EQ(platform_.held.size(), 2U * options.slots);
    EXPECT_GE(names_in("/run/netns", name).size(), options.slots);
    for (int slices = 0; slices < 200 && ((*f)->counters().handovers < 12 || slices < 50); ++slices) {
      const auto advanced = (*f)->advance(100 * millisecond);
      ASSERT_TRUE(advanced) << advanced.error().text;
    }
    const auto drained = (*f)->drain();
    ASSERT_TRUE(drained) << drained.error().text;
    EXPECT_GE((*f)->counters().handovers, 12U);

    std::uint64_t agreeing = 0;
    for (const auto& [key, told] : truth.ends()) {
      const auto& [tuple, s] = key;
      for (const auto& e : told) {
        if (e.peer == 0) continue;
        const auto own = truth.slot_of(s == side::client ? tuple.client : tuple.server);
        const auto other = truth.slot_of(s == side::client ? tuple.server : tuple.client);
        ASSERT_TRUE(own && other);
        // What a process says of itself and its peer is what the fleet's own table says.
        const auto* mine = truth.holding_of(e.instance);
        const auto* theirs = truth.holding_of(e.peer);
        ASSERT_TRUE(mine != nullptr && theirs != nullptr);
        EXPECT_LE(mine->from.from, e.opened);
        // A busy machine lets a server accept seconds after the handshake, when its peer may be gone: what
        // it calls opened is late by that, so the peer is looked for among those of some time before, too.
        const auto there = truth.holders(*other, e.opened - 20 * second,
                                         e.ended == time_max ? e.opened + 20 * second : e.ended);
        EXPECT_NE(std::find(there.begin(), there.end(), e.peer), there.end());
        const auto* far = const_cast<truth_book&>(truth).find(s == side::client ? side::server : side::client,
                                                              tuple, e.opened);
        if (far == nullptr || far->peer == 0) continue;
        if (far->instance == e.peer && far->peer == e.instance) ++agreeing;
      }
    }
    EXPECT_GT(agreeing, 100U);
    EXPECT_EQ(truth.still_open(), 0U);
    EXPECT_GT(truth.ends_told(), 200U);
  }
  EXPECT_TRUE(names_in("/run/netns", name).empty());
  EXPECT_TRUE(names_in("/run", name).empty());
}

TEST_F(Fleet, RemovesWhatACrashedRunLeft) {
  const std::string dead = "tenure-demo-999999999";
  fs::create_directory("/run/" + dead);
  {
    auto left = network_namespace::create(dead + "-1");
    ASSERT_TRUE(left) << left.error().text;
    ASSERT_EQ(names_in("/run/netns", dead).size(), 1U);
    auto folder = run_folder::create();
    ASSERT_TRUE(folder) << folder.error().text;
    EXPECT_TRUE(names_in("/run/netns", dead).empty());
    EXPECT_TRUE(names_in("/run", dead).empty());
    EXPECT_EQ(names_in("/run", folder->name()).size(), 1U);
  }
}

TEST_F(Fleet, LeavesALivingRunAlone) {
  auto alive = run_folder::create();
  ASSERT_TRUE(alive) << alive.error().text;
  // The same process again: its own folder is locked, so it counts as another one's.
  auto again = run_folder::create();
  EXPECT_FALSE(again);
  EXPECT_EQ(names_in("/run", alive->name()).size(), 1U);
}

TEST(DemoOptions, AreRefusedWhenTheyMakeNoSense) {
  demo_options o;
  o.instances = 3;
  EXPECT_EQ(check_possible(o).error().trouble, trouble::usage);
  o = {};
  o.duration = std::chrono::seconds{0};
  EXPECT_EQ(check_possible(o).error().trouble, trouble::usage);
  o = {};
  o.hold = std::chrono::nanoseconds{0};
  EXPECT_EQ(check_possible(o).error().trouble, trouble::usage);
  o = {};
  o.churn = std::chrono::nanoseconds{0};
  EXPECT_EQ(check_possible(o).error().trouble, trouble::usage);
  o = {};
  o.connections_per_second = 0;
  EXPECT_EQ(check_possible(o).error().trouble, trouble::usage);
}

}  // namespace
}  // namespace tenure::demo
