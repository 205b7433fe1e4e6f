#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/actors/world.hpp"

// An agent that starts again is another incarnation, with another clock.
namespace tenure::actors::testing {
namespace {

/// An agent that we play ourselves: what it hears, and what it has to say.
struct played_agent {
  world& w;
  std::uint64_t incarnation;
  std::vector<wire::message> heard = {};
  transport::link_ptr link = {};

  void connect() {
    link = w.links->dial("", {[this](transport::frame f) {
                                if (auto m = wire::decode(f, 0)) heard.push_back(std::move(*m));
                              },
                              [](transport::close_reason) {}});
    link->send(wire::encode(wire::hello{.incarnation = incarnation, .agent = "a"}));
    w.settle();
  }

  /// Answers all pings: its clock shows this.
  void answer_pings(nanos reading) {
    for (const auto& m : std::exchange(heard, {}))
      if (const auto* p = std::get_if<wire::ping>(&m)) link->send(wire::encode(wire::pong{p->id, reading}));
    w.settle();
  }

  /// That 10.0.0.1 was held throughout [from, until), by its clock.
  void send_evidence(nanos from, nanos until) {
    wire::batch b;
    b.number = 1;
    b.workloads.push_back({"checkout", {}});
    const tenancy_id id{incarnation, 1};
    const endpoint where{*address::parse("10.0.0.1"), 0};
    b.tenancies.push_back({id, where, workload_id{1}});
    b.evidence.push_back({where, id, workload_id{1}, from, until, 0, 0});
    link->send(wire::encode(b));
    w.advance(2 * second);
  }
};

TEST(incarnation, a_new_one_begins_with_no_brackets) {
  world w;
  w.start_node({});
  const auto& count = *w.running.counters;

  played_agent before{w, 9};
  before.connect();
  before.answer_pings(1'000 * second);
  before.send_evidence(1'001 * second, 1'002 * second);
  before.answer_pings(1'003 * second);
  w.advance(2 * second);
  EXPECT_EQ(count.brackets, 2U);
  EXPECT_EQ(count.evidence_merged, 1U) << "there was a reading before it and one after it";

  played_agent after{w, 10};
  after.connect();
  after.answer_pings(5 * second);
  after.send_evidence(second, 2 * second);
  w.advance(2 * second);
  EXPECT_EQ(count.brackets, 3U);
  EXPECT_EQ(count.brackets_refused, 0U) << "its clock did not run backwards, it is another one";
  EXPECT_EQ(count.evidence_merged, 1U);
  EXPECT_EQ(count.evidence_refused, 1U) << "no reading of this clock is older";
}

// The same again of one incarnation: its clock cannot have begun anew.
TEST(incarnation, the_clock_of_one_never_runs_backwards) {
  world w;
  w.start_node({});
  played_agent first{w, 9};
  first.connect();
  first.answer_pings(1'000 * second);
  played_agent again{w, 9};
  again.connect();
  again.answer_pings(5 * second);
  EXPECT_EQ(w.running.counters->brackets, 1U);
  EXPECT_EQ(w.running.counters->brackets_refused, 1U);
}

}  // namespace
}  // namespace tenure::actors::testing
