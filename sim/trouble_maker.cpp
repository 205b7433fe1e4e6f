#include "sim/trouble_maker.hpp"

#include <algorithm>
#include <utility>

namespace tenure::sim {
namespace {

constexpr nanos hour = 3600 * second;
constexpr nanos long_pause = 300 * second;

}  // namespace

void trouble_maker::begin() {
  const auto& f = world_.options_.faults;
  every(f.agent_crashes, [this] { crash_agent(); });
  every(f.agent_upgrades, [this] { upgrade_agent(); });
  every(f.node_crashes, [this] { crash_node(); });
  every(f.partitions, [this] { partition(); });
  if (world_.nodes_.size() > 1) {
    every(f.node_partitions, [this] { partition_nodes(); });
    if (world_.options_.cluster.leases) every(f.node_leaves, [this] { leave_node(); });
  }
  every(f.clogs, [this] { clog(); });
  every(f.output_fillings, [this] { fill_output(); });
  every(f.output_outages, [this] { break_output(); });
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
  every(f.settings_changes, [this] { change_settings(); });
  every(world_.options_.fleet.deploys_per_hour, [this] {
    world_.faults_.add(fault::deploy);
    world_.fleet_.deploy();
  });
  every(world_.options_.fleet.allocator_restarts_per_hour, [this] {
    world_.faults_.add(fault::allocator_restart);
    world_.fleet_.restart_allocator();
  });
}

void trouble_maker::every(double per_hour, std::function<void()> make) {
  if (per_hour <= 0) return;
  // A rate next to nothing has a mean that no 64 bits hold.
  constexpr double rarest = 10'000.0 * static_cast<double>(hour);
  const auto wait =
      draw_.exponential(static_cast<nanos>(std::min(static_cast<double>(hour) / per_hour, rarest)));
  world_.time_.after(wait, [this, per_hour, make = std::move(make)] {
    if (world_.over_) return;
    if (happens(world_.options_.faults.only, ++world_.troubles_)) make();
    every(per_hour, make);
  });
}

/// A fifth of them no agent can use.
void trouble_maker::change_settings() {
  const nanos heartbeat = draw_.between(500 * millisecond, 20 * second);
  const nanos linger = draw_.between(50 * millisecond, 2 * second);
  world_.around_.wanted->put(
      {++settings_version_, draw_.chance(0.2) ? std::to_string(heartbeat) + " soon"
                                              : std::to_string(heartbeat) + " " + std::to_string(linger)});
}

nanos trouble_maker::pause_length() {
  const auto& f = world_.options_.faults;
  return 1 + std::min(draw_.exponential(f.pause_mean), f.pause_most);
}

void trouble_maker::paused_for(nanos length) {
  if (length >= long_pause && !world_.over_) world_.faults_.add(fault::long_pause);
}

std::uint64_t trouble_maker::steps_to_crash() {
  const auto most = world_.options_.faults.crash_steps;
  return most == 0 ? 0 : draw_.below(most + std::uint64_t{1});
}

void trouble_maker::crash_agent() {
  auto& h = any_host();
  if (!h.agent_up() || h.guest_paused()) return;
  if (const auto steps = steps_to_crash(); steps > 0) {
    h.stop_agent_after(steps, [this, &h] {
      if (world_.over_ || !h.agent_up()) return;
      world_.faults_.add(fault::agent_crash_at_step);
      agent_crashed(h);
    });
    return;
  }
  agent_crashed(h);
}

void trouble_maker::agent_crashed(host& h) {
  world_.faults_.add(fault::agent_crash);
  h.crash_agent();
  const bool host_died = !h.guest_paused() && draw_.chance(0.2);
  if (host_died) {
    world_.faults_.add(fault::host_death);
    world_.fleet_.lose_host(h.id());
  }
  world_.time_.after(second + pause_length(), [this, &h] {
    if (!h.agent_up() && !h.guest_paused()) replace_agent(h);
  });
}

/// The old one is told to send what it has, and a moment later the new one is there.
void trouble_maker::upgrade_agent() {
  auto& h = any_host();
  if (!h.agent_up() || h.guest_paused()) return;
  world_.faults_.add(fault::agent_upgrade);
  if (draw_.chance(0.5)) h.drain_agent();
  world_.time_.after(draw_.between(0, 2 * second), [this, &h] {
    if (world_.over_ || h.guest_paused()) return;
    h.crash_agent();
    replace_agent(h);
  });
}

void trouble_maker::replace_agent(host& h) {
  world_.start_agent(h.id());
  world_.fleet_.announce_all(h.id());
}

void trouble_maker::crash_node() {
  const auto index = static_cast<std::uint32_t>(draw_.below(world_.nodes_.size()));
  auto& n = *world_.nodes_[index];
  if (!n.up()) return;
  if (const auto steps = steps_to_crash(); steps > 0) {
    n.stop_after(steps, [this, &n, index] {
      if (world_.over_ || !n.up()) return;
      world_.faults_.add(fault::node_crash_at_step);
      node_crashed(index);
    });
    return;
  }
  node_crashed(index);
}

void trouble_maker::node_crashed(std::uint32_t index) {
  auto& n = *world_.nodes_[index];
  world_.faults_.add(fault::node_crash);
  n.crash();
  world_.members_.silent(index);
  world_.time_.after(second + pause_length(), [this, &n, index] {
    if (!n.up()) world_.start_node(index);
  });
}

/// It drains, and is gone; another process takes its place.
void trouble_maker::leave_node() {
  const auto index = static_cast<std::uint32_t>(draw_.below(world_.nodes_.size()));
  auto& n = *world_.nodes_[index];
  if (!n.up()) return;
  world_.faults_.add(fault::node_leave);
  n.leave(
      [this, index] {
        if (!world_.over_) world_.members_.leave(index);
      },
      [this, &n, index](bool others) {
        if (others) world_.faults_.add(fault::node_drained);
        n.crash();
        if (world_.over_) return world_.start_node(index);
        world_.time_.after(second + pause_length(), [this, &n, index] {
          if (!n.up()) world_.start_node(index);
        });
      });
}

void trouble_maker::partition_nodes() {
  const machine_id a = any_node().id();
  const machine_id b = any_node().id();
  if (a == b) return;
  const bool both = draw_.chance(0.5);
  world_.faults_.add(fault::node_partition);
  world_.net_.block(a, b, true);
  if (both) world_.net_.block(b, a, true);
  world_.time_.after(pause_length(), [this, a, b] {
    world_.net_.block(a, b, false);
    world_.net_.block(b, a, false);
  });
}

void trouble_maker::partition() {
  const machine_id a = any_host().id();
  const machine_id b = any_node().id();
  const bool both = draw_.chance(0.5);
  const bool outward = draw_.chance(0.5);
  world_.faults_.add(both ? fault::partition : fault::partition_one_way);
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
  world_.net_.clog(from, std::min(world_.time_.now() + std::min(wait, world_.options_.faults.pause_most),
                                  world_.options_.horizon));
}

void trouble_maker::fill_output() {
  world_.faults_.add(fault::output_full);
  any_node().fill_output(pause_length());
}

void trouble_maker::break_output() {
  world_.faults_.add(fault::output_down);
  any_node().break_output(pause_length());
}

void trouble_maker::pause_agent() {
  auto& h = any_host();
  if (h.guest_paused()) return;
  world_.faults_.add(fault::agent_stall);
  h.pause_agent(true);
  const nanos length = pause_length();
  world_.time_.after(length, [this, &h, length] {
    paused_for(length);
    h.pause_agent(false);
  });
}

void trouble_maker::pause_guest() {
  auto& h = any_host();
  if (h.guest_paused()) return;
  world_.faults_.add(fault::guest_pause);
  h.pause_guest(true);
  const nanos length = pause_length();
  world_.time_.after(length, [this, &h, length] {
    paused_for(length);
    h.pause_guest(false);
  });
}

void trouble_maker::pause_node() {
  const auto index = static_cast<std::uint32_t>(draw_.below(world_.nodes_.size()));
  auto& n = *world_.nodes_[index];
  world_.faults_.add(fault::node_pause);
  n.pause(true);
  world_.members_.silent(index);
  const nanos length = pause_length();
  world_.time_.after(length, [this, &n, index, length] {
    paused_for(length);
    n.pause(false);
    if (n.up()) world_.members_.here(index);
  });
}

}  // namespace tenure::sim
