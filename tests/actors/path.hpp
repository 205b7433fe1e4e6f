#pragma once

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "tests/actors/world.hpp"

/// An agent, a node and flows between two workloads, for tests of the whole way.
namespace tenure::actors::testing {

inline constexpr std::uint64_t incarnation = 0xa1;

inline exporter_settings agent_settings() {
  exporter_settings s;
  s.name = "host-1";
  s.incarnation = incarnation;
  s.nodes = {"node:1"};
  return s;
}

inline agent::ipman_request assign(const std::string& endpoint, const std::string& workload) {
  agent::ipman_request r;
  r.verb = agent::ipman_request::action::set;
  r.endpoint = endpoint;
  r.workload = workload;
  r.netns = "/run/netns/only";
  return r;
}

/// A connection from `near` to `far` that was open for `length` until now.
inline agent::observed_flow connection(const world& w, const char* near, const char* far, nanos length) {
  agent::observed_flow o;
  o.netns_cookie = 7;
  flow& f = o.flow;
  f.near_address = *address::parse(near);
  f.far_address = *address::parse(far);
  f.near_port = 40000;
  f.far_port = 80;
  f.times.closed = w.clock->time;
  f.times.last_received = w.clock->time;
  f.times.opened = w.clock->time - length;
  f.times.established = f.times.opened + millisecond;
  f.times.is_established = true;
  f.times.transit = 200 * millisecond;
  for (const auto& [key, tenancy] : w.identities->entries)
    if (key.endpoint.address == f.near_address) f.near_tenancy = tenancy;
  return o;
}

inline void observe(const exporter_actor& agent, std::vector<agent::observed_flow> flows) {
  caf::anon_send(agent, observed_atom_v,
                 std::make_shared<const std::vector<agent::observed_flow>>(std::move(flows)));
}

struct path : ::testing::Test {
  world w;
  exporter_actor agent;

  void begin(nanos hold = 60 * second) { begin(hold_settings{.hold = hold}); }
  void begin(const hold_settings& hold) {
    begin_node(hold);
    agent = w.start_agent(agent_settings());
    w.settle();
  }
  void begin_node(const hold_settings& hold) {
    node_settings settings;
    settings.hold = hold;
    settings.clock = 7;
    w.start_node(settings);
  }
};

}  // namespace tenure::actors::testing
