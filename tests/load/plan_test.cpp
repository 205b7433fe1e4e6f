#include "load/plan.hpp"

#include <map>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

// The truth that a played fleet is judged by: it has to be one.
namespace tenure::load {
namespace {

fleet_options small_fleet(std::uint64_t seed, nanos lifetime) {
  fleet_options o;
  o.agents = 5;
  o.addresses = 37;
  o.workloads = 6;
  o.lifetime = lifetime;
  o.longest_flow = lifetime == 0 ? second : lifetime / 4;
  o.seed = seed;
  return o;
}

nanos any_lifetime() {
  return *rc::gen::element<nanos>(0, 40 * millisecond, second, 600 * second);
}

RC_GTEST_PROP(load_plan, an_agents_holdings_are_those_that_addresses_know, (std::uint64_t seed)) {
  const plan p(small_fleet(seed, any_lifetime()));
  const nanos at = *rc::gen::inRange<nanos>(0, 4000 * second);
  std::map<std::uint32_t, holding> held;
  for (std::uint32_t a = 0; a < p.options().agents; ++a) {
    std::vector<holding> all;
    p.holdings(a, at - 1, at, all);
    for (const auto& h : all) {
      RC_ASSERT(h.agent == a);
      RC_ASSERT(h.tenancy.incarnation == p.incarnation(a));
      if (h.from <= at && at < h.until) RC_ASSERT(held.emplace(h.address, h).second);
    }
  }
  for (std::uint32_t n = 0; n < p.options().addresses; ++n) {
    const auto h = p.holder(n, at);
    RC_ASSERT(h.has_value() == held.contains(n));
    if (h) RC_ASSERT(h->tenancy == held[n].tenancy && h->workload == held[n].workload);
  }
}

RC_GTEST_PROP(load_plan, one_holder_follows_the_other_without_overlap, (std::uint64_t seed)) {
  const plan p(small_fleet(seed, second));
  const auto address = *rc::gen::inRange<std::uint32_t>(0, p.options().addresses);
  std::vector<holding> all;
  for (std::uint32_t a = 0; a < p.options().agents; ++a) p.holdings(a, 0, 20 * second, all);
  std::erase_if(all, [&](const holding& h) { return h.address != address; });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.until < b.until; });
  RC_ASSERT(all.size() >= 20U);
  for (std::size_t i = 1; i < all.size(); ++i) {
    RC_ASSERT(all[i].from >= all[i - 1].until);
    RC_ASSERT(all[i].tenancy != all[i - 1].tenancy);
    RC_ASSERT(all[i].agent != all[i - 1].agent);
  }
}

RC_GTEST_PROP(load_plan, the_far_end_of_a_flow_is_one_holder_from_first_to_last_segment,
              (std::uint64_t seed)) {
  const plan p(small_fleet(seed, any_lifetime()));
  const auto agent = *rc::gen::inRange<std::uint32_t>(0, p.options().agents);
  const auto batch = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  const nanos sealed = *rc::gen::inRange<nanos>(10 * second, 4000 * second);
  const auto of = p.batch(agent, batch, sealed);
  for (std::uint32_t i = 0; i < 20; ++i) {
    const auto f = p.flow(of, i);
    const auto& t = f.flow.times;
    RC_ASSERT(t.opened < t.established && t.established <= t.last_received && t.last_received <= t.closed);
    RC_ASSERT(t.closed <= sealed);
    if (f.near) RC_ASSERT(f.near->agent == agent && f.near->from <= t.opened && f.near->until >= t.closed);
    if (!f.far) continue;
    RC_ASSERT(f.flow.far_address == p.address_of(f.far->address));
    RC_ASSERT(f.far->from <= t.opened && t.last_received <= f.far->until);
  }
}

RC_GTEST_PROP(load_plan, a_clock_never_runs_backwards, (std::uint64_t seed)) {
  const plan p(small_fleet(seed, second));
  const auto agent = *rc::gen::inRange<std::uint32_t>(0, p.options().agents);
  const nanos at = *rc::gen::inRange<nanos>(0, 40'000'000 * second);
  const nanos later = at + *rc::gen::inRange<nanos>(0, 10 * second);
  RC_ASSERT(p.reading(agent, at) <= p.reading(agent, later));
}

TEST(load_plan, incarnations_lead_back_to_their_agents) {
  const plan p(small_fleet(1, second));
  for (std::uint32_t a = 0; a < 5; ++a) EXPECT_EQ(p.agent_of(p.incarnation(a)), a);
  EXPECT_FALSE(p.agent_of(12345));
  auto other = small_fleet(1, second);
  other.run = 2;
  EXPECT_FALSE(plan(other).agent_of(p.incarnation(0))) << "another run is another incarnation";
}

}  // namespace
}  // namespace tenure::load
