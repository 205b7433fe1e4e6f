#include "sim/trouble_maker.hpp"

#include <algorithm>
#include <utility>

namespace tenure::sim {
namespace {

constexpr nanos hour = 3600 * second;

}  // namespace

void trouble_maker::begin() {
  const auto& f = world_.options_.faults;
  every(f.agent_crashes, [this] { crash_agent(); });
  every(f.node_crashes, [this] { crash_node(); });
  every(f.partitions, [this] { partition(); });
  every(f.clogs, [this] { clog(); });
  every(f.agent_pauses, [this] { pause_agent(); });
  every(f.guest_pauses, [this] { pause_guest(); });
  every(f.node_pauses, [this] { pause_node(); });
  every(f.link_cuts, [this] {
    if (world_.net_.cut_one()) world_.faults_.add(fault::link_cut);
  });
  every(f.clock_changes, [this] {
    const auto ppm = world_.options_.cluster.clock_ppm;
    any_host().clock().set_rate(draw_.between(-ppm, ppm));
    world_.faults_.add(fault::clock_rate);
  });
  every(f.wall_steps, [this] {
    any_node().clock().step_wall(draw_.between(-hour, hour));
    world_.faults_.add(fault::wall_step);
  });
  every(world_.options_.fleet.deploys_per_hour, [this] { world_.fleet_.deploy(); });
  every(world_.options_.fleet.allocator_restarts_per_hour, [this] { world_.fleet_.restart_allocator(); });
}

void trouble_maker::every(double per_hour, std::function<void()> make) {
  if (per_hour <= 0) return;
  const auto wait = draw_.exponential(static_cast<nanos>(static_cast<double>(hour) / per_hour));
  world_.time_.after(wait, [this, per_hour, make = std::move(make)] {
    if (world_.over_) return;
    make();
    every(per_hour, make);
  });
}

void trouble_maker::crash_agent() {
  auto& h = any_host();
  if (!h.agent_up() || h.guest_paused()) return;
  world_.faults_.add(fault::agent_crash);
  h.crash_agent();
  const bool host_died = draw_.chance(0.2);
  if (host_died) {
    world_.faults_.add(fault::host_death);
    world_.fleet_.lose_host(h.id());
  }
  world_.time_.after(second + pause_length(), [this, &h] {
    if (h.agent_up()) return;
    world_.start_agent(h.id());
    world_.fleet_.announce_all(h.id());
  });
}

void trouble_maker::crash_node() {
  const auto index = static_cast<std::uint32_t>(draw_.below(world_.nodes_.size()));
  auto& n = *world_.nodes_[index];
  if (!n.up()) return;
  world_.faults_.add(fault::node_crash);
  n.crash();
  world_.time_.after(second + pause_length(), [this, &n, index] {
    if (!n.up()) n.start(node_machine::address_of(index));
  });
}

void trouble_maker::partition() {
  const machine_id a = any_host().id();
  const machine_id b = any_node().id();
  const bool both = draw_.chance(0.5);
  const bool outward = draw_.chance(0.5);
  world_.faults_.add(fault::partition);
  if (both || outward) world_.net_.block(a, b, true);
  if (both || !outward) world_.net_.block(b, a, true);
  world_.time_.after(pause_length(), [this, a, b] {
    world_.net_.block(a, b, false);
    world_.net_.block(b, a, false);
  });
}

void trouble_maker::clog() {
  const bool node = draw_.chance(0.3);
  const machine_id from = node ? any_node().id() : any_host().id();
  const nanos wait = draw_.exponential(world_.options_.faults.clog_mean);
  world_.faults_.add(fault::link_clogged);
  world_.net_.clog(from, std::min(world_.time_.now() + wait, world_.options_.horizon));
}

void trouble_maker::pause_agent() {
  auto& h = any_host();
  if (h.guest_paused()) return;
  world_.faults_.add(fault::agent_stall);
  h.pause_agent(true);
  world_.time_.after(pause_length(), [&h] { h.pause_agent(false); });
}

void trouble_maker::pause_guest() {
  auto& h = any_host();
  if (h.guest_paused()) return;
  world_.faults_.add(fault::guest_pause);
  h.pause_guest(true);
  world_.time_.after(pause_length(), [&h] { h.pause_guest(false); });
}

void trouble_maker::pause_node() {
  auto& n = any_node();
  world_.faults_.add(fault::node_pause);
  n.pause(true);
  world_.time_.after(pause_length(), [&n] { n.pause(false); });
}

}  // namespace tenure::sim
