#include <ctime>
#include <utility>

#include "tests/process/watched_pair.hpp"

// Wall clocks are stepped under a running agent and node. They judge by boot-time clocks, so that only what
// is written as the time of day may show it.
namespace tenure::testing {
namespace {

struct clock_step : watched_pair {
  /// A wall clock that can be set, of one process.
  struct wall_clock {
    explicit wall_clock(std::string file) : file_(std::move(file)) { set(0); }
    void set(std::int64_t seconds_off) const {
      std::fstream out(file_, std::ios::binary | std::ios::in | std::ios::out);
      if (!out) out.open(file_, std::ios::binary | std::ios::out);
      out.write(reinterpret_cast<const char*>(&seconds_off), sizeof seconds_off);
    }
    std::vector<std::string> start() const {
      return {"env", "LD_PRELOAD=" TENURE_STEPPED_CLOCK, "ASAN_OPTIONS=verify_asan_link_order=0",
              "STEPPED_CLOCK=" + file_};
    }

   private:
    std::string file_;
  };
  wall_clock of_node{folder / "node.clock"};
  wall_clock of_agent{folder / "agent.clock"};

  clock_step() {
    node_under = of_node.start();
    agent_under = of_agent.start();
  }
};

/// In whole seconds since 1970.
std::int64_t time_of(const json& record, const char* key) {
  tm parts{};
  const auto text = record.at(key).get<std::string>();
  EXPECT_NE(::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts), nullptr) << text;
  return ::timegm(&parts);
}

TEST_F(clock_step, of_an_hour_or_more_in_the_middle_leaves_every_end_named) {
  ASSERT_EQ(ask({"set", "10.77.0.1", "client", "--netns", world->path("west")}), 0);
  ASSERT_EQ(ask({"set", "10.77.0.2", "server", "--netns", world->path("east")}), 0);
  std::int64_t before = 0;
  const auto all_named = [&](const char* when) {
    const auto ports = talk(30);
    std::int64_t latest = 0;
    for (const char* reporter : {"source", "destination"}) {
      const auto records = told(ports, reporter);
      EXPECT_EQ(records.size(), ports.size()) << when << "\n" << agent->err();
      for (const auto& r : records) {
        EXPECT_EQ(r.at("source_workload"), "client") << when << ": " << r;
        EXPECT_EQ(r.at("destination_workload"), "server") << when << ": " << r;
        EXPECT_LT(time_of(r, "closed") - time_of(r, "opened"), 30) << when << ": " << r;
        latest = std::max(latest, time_of(r, "closed"));
      }
    }
    return latest - std::exchange(before, latest);
  };
  all_named("before");
  of_agent.set(3'600);
  EXPECT_LT(all_named("the agent's is an hour ahead"), 300);
  of_agent.set(-86'400);
  EXPECT_LT(all_named("the agent's is a day behind"), 300);
  of_node.set(7'200);
  const auto ahead = all_named("the node's is two hours ahead");
  EXPECT_GT(ahead, 7'000) << "or no clock was stepped";
  EXPECT_LT(ahead, 7'500);
  of_node.set(-7'200);
  EXPECT_LT(all_named("the node's is two hours behind"), -14'000);
}

}  // namespace
}  // namespace tenure::testing
