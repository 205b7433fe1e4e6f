#include "sim/swarm.hpp"

#include <algorithm>
#include <array>

#include "sim/lifetimes.hpp"
#include "sim/random.hpp"

namespace tenure::sim {
namespace {

/// Nothing in half of the runs, otherwise up to `most`, small values as likely as large ones.
double strength(random& draw, double most) {
  if (draw.chance(0.5)) return 0;
  const double u = draw.unit();
  return most * u * u;
}

template <std::size_t N, class T = nanos>
T one_of(random& draw, const std::array<T, N>& all) {
  return all[draw.below(N)];
}

void draw_fleet(fleet_options& f, random& draw) {
  f.workloads = static_cast<std::uint32_t>(draw.between(2, 10));
  f.hosts = static_cast<std::uint32_t>(draw.between(2, 8));
  f.instances = static_cast<std::uint32_t>(draw.between(10, 60));
  // From a pool at 95 % use, where every address is taken again at once, to one with room.
  f.addresses = f.instances + 1 + static_cast<std::uint32_t>(draw.below(f.instances));
  if (draw.chance(0.3)) f.addresses = f.instances * 20 / 19 + 1;
  f.reuse_gap = one_of<4>(draw, {0, second, 30 * second, 120 * second});
  if (draw.chance(0.5)) f.reuse_gap = 0;
  f.latest_first = draw.chance(0.7);
  f.lifetimes = scaled(container_lifetimes(), 0.05 + draw.unit());
  if (draw.chance(0.2)) f.lifetimes = {{0, 30 * second}, {1, 90 * second}};  // serverless: a minute
  f.port_share = strength(draw, 1.0);
  f.unseen_share = strength(draw, 1.0);
  f.withdrawn_share = draw.unit();
  f.in_place_share = strength(draw, 1.0);
  f.set_late = one_of<4>(draw, {0, 200 * millisecond, 5 * second, 60 * second});
  f.del_late = one_of<4>(draw, {0, 200 * millisecond, 5 * second, 60 * second});
  f.repeat_share = strength(draw, 0.5);
  f.deploys_per_hour = strength(draw, 120);
  f.allocator_restarts_per_hour = strength(draw, 60);
}

void draw_traffic(traffic_options& t, random& draw) {
  t.connect_every = one_of<3>(draw, {2 * second, 5 * second, 20 * second});
  t.exchange_gap = one_of<3>(draw, {50 * millisecond, second, 5 * second});
  t.exchanges = static_cast<std::uint32_t>(draw.chance(0.2) ? draw.below(300) : draw.below(8));
  t.udp_share = strength(draw, 0.5);
  t.slow_share = strength(draw, 0.5);
  t.transit = one_of<3>(draw, {20 * millisecond, 200 * millisecond, 2 * second});
  t.delay_max = std::min(t.delay_max, t.transit);
  t.loss = strength(draw, 0.3);
  t.outside_share = strength(draw, 0.3);
  t.stale_share = strength(draw, 1.0);
  t.challenge_share = draw.unit();
  t.kept_share = strength(draw, 1.0);
  t.server_patience = one_of<2>(draw, {5 * second, 30 * second});
}

void draw_cluster(cluster_options& c, random& draw) {
  c.nodes = draw.chance(0.4) ? static_cast<std::uint32_t>(draw.between(2, 4)) : 1;
  c.replicas = one_of<3, std::uint32_t>(draw, {1, 2, 3});
  c.leases = draw.chance(0.6);
  c.warm_up = one_of<3>(draw, {0, 5 * second, 60 * second});
  c.view_delay = one_of<3>(draw, {millisecond, second, 20 * second});
  c.hold = one_of<3>(draw, {second, 15 * second, 60 * second});
  c.heartbeat = one_of<3>(draw, {second, 10 * second, 20 * second});
  c.linger = one_of<2>(draw, {100 * millisecond, second});
  c.clock_ppm = draw.chance(0.3) ? 100 : draw.between(0, 100);  // 200 of one to the other: the declared bound
  c.clock_offset = draw.chance(0.2) ? 0 : 300 * second;
}

void draw_faults(fault_options& f, network_conditions& n, random& draw) {
  f.agent_crashes = strength(draw, 200);
  f.agent_upgrades = strength(draw, 120);
  f.node_crashes = strength(draw, 60);
  f.link_cuts = strength(draw, 600);
  f.partitions = strength(draw, 120);
  f.node_partitions = strength(draw, 120);
  f.node_leaves = strength(draw, 60);
  f.clogs = strength(draw, 120);
  f.clog_mean = one_of<4>(draw, {second, 10 * second, 120 * second, 600 * second});
  f.agent_pauses = strength(draw, 120);
  f.guest_pauses = strength(draw, 120);
  f.node_pauses = strength(draw, 60);
  f.pause_mean = one_of<4>(draw, {second, 10 * second, 60 * second, 300 * second});
  f.crash_steps = one_of<3, std::uint32_t>(draw, {0, 20, 500});
  f.clock_changes = strength(draw, 600);
  f.wall_steps = strength(draw, 120);
  f.slow = {strength(draw, 0.2), one_of<3>(draw, {millisecond, 20 * millisecond, 500 * millisecond})};
  n.loss = strength(draw, 0.3);
  n.unacknowledged = strength(draw, 0.5);
  n.refused = strength(draw, 0.5);
  n.delay_max = one_of<3>(draw, {200 * microsecond, 20 * millisecond, second});
  n.delay_min = draw.chance(0.3) ? 0 : std::min(n.delay_min, n.delay_max);
}

/// What became of the hold since its length was all there was to it: a wait beyond it, a release before its
/// end, and memory for little more than what arrives within it, so that agents wait for credit.
void draw_hold(scenario& s, random& draw) {
  auto& c = s.cluster;
  if (draw.chance(0.3)) c.hold_longest = one_of<3>(draw, {2, 4, 10}) * c.hold;
  c.release_early = draw.chance(0.3);
  if (!draw.chance(0.3)) return;
  constexpr double bytes = 80;
  const double flows = 2.0 * s.fleet.instances * static_cast<double>(std::max(c.hold, c.hold_longest)) /
                       static_cast<double>(s.traffic.connect_every);
  c.held_memory = 32'768 + static_cast<std::uint32_t>((0.5 + 2 * draw.unit()) * flows * bytes);
}

/// Agents that are short of room, compress, and are told to behave otherwise while they run.
void draw_agents(scenario& s, random& draw) {
  s.cluster.compress = draw.chance(0.3);
  s.faults.settings_changes = strength(draw, 240);
  if (!draw.chance(0.15)) return;
  // What is short of room is short of it because there are many short connections of one kind.
  s.cluster.shed_waiting = static_cast<std::uint32_t>(draw.between(1, 4));
  s.fleet.instances = std::min(s.fleet.instances, 15U);
  s.traffic.callees = 1;
  s.traffic.connect_every = 300 * millisecond;
  s.traffic.exchange_gap = 50 * millisecond;
  s.traffic.exchanges = std::min(s.traffic.exchanges, 2U);
}

/// Clocks without any error on a coarse grid: everything that can happen at one instant does. Addresses pass
/// from one to the next at one instant, the platform says so at that instant in half of these runs, and
/// callers come then.
void make_exact(scenario& s, random& draw) {
  s.grid = one_of<3>(draw, {100 * millisecond, second, second});
  s.cluster.clock_ppm = 0;
  s.cluster.drift_ppm = 0;
  s.traffic.tick = 0;
  s.traffic.transit = 2 * s.grid;
  s.traffic.delay_min = 0;
  s.traffic.delay_max = s.grid;
  s.network.delay_min = 0;
  s.network.delay_max = 0;
  s.faults.guest_pauses = 0;
  s.faults.slow = {};
  s.fleet.reuse_gap = 0;
  s.fleet.latest_first = true;
  s.fleet.addresses = s.fleet.instances + 2;
  s.traffic.connect_every = std::min(s.traffic.connect_every, 5 * second);
  if (draw.chance(0.5)) return;
  s.fleet.unseen_share = 0;
  s.fleet.set_late = 0;
  s.fleet.del_late = 0;
  s.traffic.stale_share = std::max(s.traffic.stale_share, 0.3);
}

}  // namespace

scenario swarm(std::uint64_t seed) {
  random draw{seed ^ 0x5eed'0f5e'ededULL};
  scenario s;
  s.name = "swarm";
  draw_fleet(s.fleet, draw);
  draw_traffic(s.traffic, draw);
  draw_cluster(s.cluster, draw);
  draw_faults(s.faults, s.network, draw);
  if (draw.chance(0.2)) make_exact(s, draw);
  // Most are short; in the long ones what lasts ten minutes has its time.
  s.horizon = draw.chance(0.15) ? draw.between(600, 1800) * second : draw.between(60, 240) * second;
  const bool short_memory = draw.chance(0.3);
  if (draw.chance(0.2)) s.cluster.memory = static_cast<std::uint32_t>(draw.between(2, 128)) << 10;
  draw_agents(s, draw);
  draw_hold(s, draw);
  s.faults.output_fillings = strength(draw, 60);
  s.faults.output_outages = strength(draw, 60);
  const nanos longest = std::max(s.cluster.hold, s.cluster.hold_longest);
  s.cooldown = longest + 90 * second;
  if (short_memory) s.cluster.horizon = 2 * longest + minute;
  s.network.older = strength(draw, 1);
  return s;
}

}  // namespace tenure::sim
