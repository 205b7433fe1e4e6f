#include <gtest/gtest.h>

#include "agent/batcher.hpp"
#include "agent/retention.hpp"

namespace tenure::agent {
namespace {

tenancy_report report(std::uint64_t sequence, nanos from, nanos until,
                      const std::string& workload = "checkout") {
  tenancy_report r;
  r.id = {5, sequence};
  r.endpoint = {address::v4(0x0a000000U + static_cast<std::uint32_t>(sequence)), 0};
  r.workload.name = workload;
  r.from = from;
  r.until = until;
  return r;
}

observed_flow flow_of(const tenancy_report& near) {
  observed_flow o;
  o.flow.near_tenancy = near.id;
  return o;
}

TEST(batcher, numbers_batches_from_one_and_flows_from_zero) {
  batcher b{5};
  const auto near = report(1, 0, 10);
  b.add(flow_of(near), &near);
  b.add(flow_of(near), &near);
  const auto first = b.seal();
  b.add(flow_of(near), &near);
  const auto second_batch = b.seal();
  EXPECT_EQ(first.number, 1U);
  EXPECT_EQ(first.flows.at(1).id, (flow_id{5, 1, 1}));
  EXPECT_EQ(second_batch.flows.at(0).id, (flow_id{5, 2, 0}));
  EXPECT_TRUE(b.empty());
}

TEST(batcher, every_tenancy_that_a_flow_names_stands_in_the_batch) {
  batcher b{5};
  const auto near = report(1, 0, 10);
  b.add(flow_of(near), &near);
  const auto sealed = b.seal();
  ASSERT_EQ(sealed.tenancies.size(), 1U);
  EXPECT_EQ(sealed.tenancies[0].id, near.id);
  EXPECT_EQ(sealed.flows[0].near_workload, workload_id{1});
  EXPECT_TRUE(sealed.evidence.empty());
}

TEST(batcher, flow_without_a_proved_near_end_names_no_tenancy) {
  batcher b{5};
  b.add(flow_of(report(1, 0, 10)), nullptr);
  const auto sealed = b.seal();
  EXPECT_TRUE(sealed.flows[0].near_tenancy.none());
  EXPECT_TRUE(sealed.tenancies.empty());
}

TEST(batcher, a_flow_that_is_named_by_its_cgroup_has_a_workload_and_no_tenancy) {
  batcher b{5};
  const wire::workload nginx{"nginx.service", {}};
  const auto near = report(1, 0, 10);
  b.add(flow_of(near), nullptr, &nginx);
  b.add(flow_of(near), &near, &nginx);
  const auto sealed = b.seal();
  EXPECT_TRUE(sealed.flows[0].near_tenancy.none());
  EXPECT_EQ(sealed.workloads.at(static_cast<std::size_t>(sealed.flows[0].near_workload) - 1).name,
            "nginx.service");
  EXPECT_EQ(sealed.workloads.at(static_cast<std::size_t>(sealed.flows[1].near_workload) - 1).name,
            "checkout");
}

TEST(batcher, repeated_report_widens_and_an_empty_one_is_left_out) {
  batcher b{5};
  b.add(report(1, 10, 20));
  b.add(report(1, 10, 30));
  b.add(report(2, 10, 10));
  const auto sealed = b.seal();
  ASSERT_EQ(sealed.evidence.size(), 1U);
  EXPECT_EQ(sealed.evidence[0].until, 30);
}

TEST(batcher, is_full_before_any_bound_of_the_wire_and_the_frame_fits) {
  batcher b{5};
  std::uint64_t n = 1;
  for (; !b.full(); ++n) b.add(report(n, 0, 10, "workload-" + std::to_string(n % 1500)));
  const auto near = report(1, 0, 10);
  for (std::size_t i = 0; i < batcher::max_flows - 1; ++i) b.add(flow_of(near), &near);
  const auto sealed = b.seal();
  EXPECT_LE(sealed.tenancies.size(), wire::max_batch_tenancies);
  EXPECT_LE(sealed.workloads.size(), wire::max_batch_workloads);
  EXPECT_LE(wire::encode(wire::message{sealed}).size() * 8, wire::max_frame_bytes);
}

TEST(batcher, long_labels_fill_a_batch_too) {
  batcher b{5};
  std::uint64_t n = 1;
  for (; !b.full(); ++n) {
    auto r = report(n, 0, 10, "w" + std::to_string(n));
    for (int i = 0; i < 64; ++i) r.workload.labels.emplace_back(std::string(256, 'k'), std::string(256, 'v'));
    b.add(r);
  }
  EXPECT_LE(wire::encode(wire::message{b.seal()}).size() * 8, wire::max_frame_bytes);
}

TEST(retention, drops_the_oldest_beyond_its_bound_and_counts_them) {
  retention r{100};
  r.keep(1, wire::frame(5), 3);
  r.keep(2, wire::frame(5), 4);
  EXPECT_EQ(r.batches_dropped(), 0U);
  r.keep(3, wire::frame(5), 5);
  EXPECT_EQ(r.batches_dropped(), 1U);
  EXPECT_EQ(r.flows_dropped(), 3U);
  EXPECT_EQ(r.flows(), 9U);
  EXPECT_EQ(r.bytes(), 80U);
  EXPECT_FALSE(r.acknowledge(1));
  EXPECT_TRUE(r.acknowledge(3));
  EXPECT_FALSE(r.acknowledge(3));
  EXPECT_EQ(r.batches(), 1U);
}

TEST(retention, gives_up_what_cannot_be_delivered_and_counts_it) {
  retention r{1000};
  r.keep(1, wire::frame(1), 3);
  r.keep(2, wire::frame(1), 4);
  r.give_up(1);
  r.give_up(1);
  EXPECT_EQ(r.batches(), 1U);
  EXPECT_EQ(r.flows(), 4U);
  EXPECT_EQ(r.batches_dropped(), 1U);
  EXPECT_EQ(r.flows_dropped(), 3U);
}

TEST(retention, hands_out_the_oldest_first) {
  retention r{1000};
  r.keep(1, wire::frame{1}, 1);
  r.keep(2, wire::frame{2}, 1);
  std::vector<std::uint64_t> seen;
  std::uint64_t number = 0;
  while (const auto* f = r.next(number)) seen.push_back(f->front());
  EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 2}));
}

}  // namespace
}  // namespace tenure::agent
