#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "capnp/made_batch.hpp"
#include "load/plan.hpp"

// What is made for speed is what is made for the judge.
namespace tenure::load {
namespace {

RC_GTEST_PROP(load_frames, of_drawn_flows_are_those_of_planned_ones,
              (std::uint64_t seed, bool ipv6, bool churn)) {
  fleet_options o;
  o.agents = 5;
  o.addresses = 200;
  o.workloads = 6;
  o.ipv6 = ipv6;
  o.seed = seed;
  o.lifetime = churn ? 10 * second : 0;
  const plan p(o);
  const auto agent = *rc::gen::inRange<std::uint32_t>(0, o.agents);
  const auto number = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  const auto of = p.batch(agent, number, *rc::gen::inRange<nanos>(10 * second, 4000 * second));
  wire::batch b;
  b.number = number;
  for (const auto& h : of.near) {
    b.workloads.push_back({p.workload_name(h.workload), {}});
    b.tenancies.push_back(
        {h.tenancy, {p.address_of(h.address), 0}, static_cast<workload_id>(b.workloads.size())});
  }
  auto draw = [&](std::uint32_t i, flow& f) { p.draw(of, i, f); };
  const auto plain = wire::encode_made(false, b, 20, draw);
  auto without_tenancies = b;
  without_tenancies.tenancies.clear();
  const auto packed = wire::encode_made(true, without_tenancies, 20, draw);
  for (std::uint32_t i = 0; i < 20; ++i) b.flows.push_back(p.flow(of, i).flow);
  RC_ASSERT(plain == wire::encode(b));
  RC_ASSERT(packed == wire::encode_packed(b));
}

}  // namespace
}  // namespace tenure::load
