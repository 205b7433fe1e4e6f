#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "tests/actors/path.hpp"

// A shard judges some hundred flows of a lot at a time: no answer may go to another flow at the seams, of
// pieces or of batches.
namespace tenure::actors::testing {
namespace {

constexpr std::uint32_t agents = 3;
constexpr std::uint32_t flows_of_each = 600;

struct large_lot : path {
  /// By turns to two workloads and to nobody, from several agents at once.
  void observe_many(const hold_settings& hold) {
    begin(hold);
    std::vector<exporter_actor> all{agent};
    for (std::uint32_t i = 1; i < agents; ++i) {
      auto settings = agent_settings();
      settings.name = "host-" + std::to_string(i + 1);
      settings.incarnation = incarnation + i;
      all.push_back(w.start_agent(settings));
    }
    w.settle();
    w.ipman(agent, assign("10.0.0.2", "checkout"));
    w.ipman(agent, assign("10.0.0.3", "catalog"));
    w.advance(30 * second);
    const std::vector<const char*> far{"10.0.0.2", "10.0.0.3", "10.0.0.9"};
    std::vector<agent::observed_flow> flows;
    for (std::uint32_t i = 0; i < flows_of_each; ++i)
      flows.push_back(connection(w, "10.0.0.1", far[i % far.size()], 2 * second));
    for (const auto& a : all) observe(a, flows);
  }

  void expect_each_with_its_own() const {
    const std::vector<std::string> names{"checkout", "catalog", ""};
    std::map<flow_id, std::string> answers;
    for (const auto& r : w.sink->written) answers.emplace(r.id, r.far);
    ASSERT_EQ(answers.size(), agents * flows_of_each);
    ASSERT_EQ(w.sink->written.size(), answers.size());
    for (const auto& [id, far] : answers) EXPECT_EQ(far, names[id.index % names.size()]) << id.to_string();
  }
};

TEST_F(large_lot, gives_each_flow_its_own_answer) {
  observe_many({.hold = 20 * second});
  w.advance(40 * second);
  expect_each_with_its_own();
}

TEST_F(large_lot, gives_each_flow_its_own_answer_when_some_wait_on) {
  observe_many({.hold = 20 * second, .longest = 40 * second});
  w.advance(25 * second);
  EXPECT_EQ(w.sink->written.size(), agents * (flows_of_each - flows_of_each / 3)) << "nobody's wait on";
  w.advance(40 * second);
  expect_each_with_its_own();
}

}  // namespace
}  // namespace tenure::actors::testing
