#include "load/judge.hpp"

#include <functional>

#include <gtest/gtest.h>

// What holds outputs against the truth has to see what is wrong with them.
namespace tenure::load {
namespace {

constexpr std::uint32_t flows_a_batch = 20;
constexpr nanos sealed = 1'000 * second;

struct load_judge : ::testing::Test {
  static fleet_options fleet() {
    fleet_options o;
    o.agents = 2;
    o.addresses = 40;
    o.workloads = 6;
    o.longest_flow = second / 4;
    return o;
  }
  plan truth{fleet()};
  sealed_book book{2};

  void SetUp() override {
    for (std::uint32_t agent = 0; agent < 2; ++agent) book.enter(agent, 1, sealed);
  }
  std::optional<judged_record::end> told(const std::optional<holding>& h) const {
    if (!h) return std::nullopt;
    return judged_record::end{truth.workload_name(h->workload), h->tenancy};
  }
  /// The record of a flow, as it should be.
  judged_record right(std::uint32_t agent, std::uint32_t index) const {
    const auto f = truth.flow(truth.batch(agent, 1, sealed), index);
    return {f.flow.id, told(f.near), told(f.far), f.far ? "" : "no_evidence"};
  }
  /// All records but for what is done to the first one whose ends are both named.
  findings with(const std::function<void(judged_record&)>& change) const {
    judge j(truth, book, flows_a_batch);
    bool changed = false;
    // The two agents' records by turns: both have a batch with this number.
    for (std::uint32_t i = 0; i < flows_a_batch; ++i)
      for (std::uint32_t agent = 0; agent < 2; ++agent) {
        auto r = right(agent, i);
        if (!changed && r.near && r.far) {
          change(r);
          changed = true;
        }
        j.see(r);
      }
    EXPECT_TRUE(changed);
    return j.conclude();
  }
};

TEST_F(load_judge, finds_nothing_wrong_with_what_is_right) {
  const auto f = with([](judged_record&) {});
  EXPECT_EQ(f.records, 2 * flows_a_batch);
  EXPECT_EQ(f.flows, 2 * flows_a_batch);
  EXPECT_GT(f.attributed, flows_a_batch);
  EXPECT_EQ(f.lost + f.misattributed + f.strangers + f.unreadable + f.repeats, 0U);
  EXPECT_TRUE(f.wrong.empty());
}

TEST_F(load_judge, sees_an_end_that_somebody_else_held) {
  const std::string other = "somebody else";
  const std::vector<std::function<void(judged_record&)>> lies{
      [&](judged_record& r) { r.far->workload = other; }, [&](judged_record& r) { r.near->workload = other; },
      [](judged_record& r) { ++r.far->tenancy.sequence; },
      [](judged_record& r) { ++r.near->tenancy.incarnation; }, [](judged_record& r) { r.far->tenancy = {}; }};
  for (const auto& lie : lies) {
    const auto f = with(lie);
    EXPECT_EQ(f.misattributed, 1U);
    ASSERT_EQ(f.wrong.size(), 1U);
    EXPECT_EQ(f.wrong[0].rfind("another one held it: ", 0), 0U) << f.wrong[0];
  }
}

TEST_F(load_judge, an_end_that_is_not_named_is_not_a_lie) {
  const auto f = with([](judged_record& r) {
    r.far.reset();
    r.near.reset();
    r.reason = "between";
  });
  EXPECT_EQ(f.misattributed, 0U);
  EXPECT_EQ(f.unattributed.at("between"), 1U);
}

TEST_F(load_judge, tells_flows_that_are_not_there_from_those_that_are_twice_or_nobodys) {
  const auto f = with([](judged_record& r) { r.id.index ^= 1; });  // one is lost, its neighbour there twice
  EXPECT_EQ(f.lost, 1U);
  EXPECT_EQ(f.repeats, 1U);
  const auto of_a_batch_never_sealed = with([](judged_record& r) { r.id.batch = 2; });
  EXPECT_EQ(of_a_batch_never_sealed.strangers, 1U);
  EXPECT_EQ(of_a_batch_never_sealed.lost, 1U);
  EXPECT_EQ(with([](judged_record& r) { ++r.id.incarnation; }).strangers, 1U);
  EXPECT_EQ(with([](judged_record& r) { r.id.index = flows_a_batch; }).strangers, 1U);
}

TEST_F(load_judge, reads_lines_as_it_does_records) {
  std::uint32_t index = 0;  // of a flow whose ends are both named
  while (index < flows_a_batch && !(right(0, index).near && right(0, index).far)) ++index;
  ASSERT_LT(index, flows_a_batch);
  const auto r = right(0, index);
  const auto end = [](const std::optional<judged_record::end>& e) {
    return e ? std::pair{'"' + std::string(e->workload) + '"', '"' + e->tenancy.to_string() + '"'}
             : std::pair{std::string("null"), std::string("null")};
  };
  const auto line = [&](const std::string& reporter) {
    const auto [near, near_proof] = end(r.near);
    const auto [far, far_proof] = end(r.far);
    const std::string near_name = reporter == "source" ? "source" : "destination";
    const std::string far_name = reporter == "source" ? "destination" : "source";
    return R"({"flow_id":")" + r.id.to_string() + R"(","reporter":")" + reporter + R"(",")" + near_name +
           R"(_workload":)" + near + R"(,")" + near_name + R"(_tenancy":)" + near_proof + R"(,")" + far_name +
           R"(_workload":)" + far + R"(,")" + far_name + R"(_tenancy":)" + far_proof + "}";
  };
  judge j(truth, book, flows_a_batch);
  j.see(line("source"));
  j.see(line("destination"));
  EXPECT_NE(r.near->tenancy, r.far->tenancy) << "or it is all the same which end is which";
  for (const char* none : {"", "{}", R"({"flow_id":"1-2","reporter":"source"})", "{\"flow_id\":\"00"})
    j.see(none);
  const auto f = j.conclude();
  EXPECT_EQ(f.records, 6U);
  EXPECT_EQ(f.unreadable, 4U);
  EXPECT_EQ(f.flows, 1U);
  EXPECT_EQ(f.repeats, 1U);
  EXPECT_EQ(f.attributed, 2U);
  EXPECT_EQ(f.misattributed, 0U);
}

}  // namespace
}  // namespace tenure::load
