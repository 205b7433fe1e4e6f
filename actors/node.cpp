#include "actors/node.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/response_promise.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/delay.hpp"
#include "actors/hash_of_name.hpp"
#include "actors/node_leave.hpp"
#include "actors/peer.hpp"
#include "actors/reminder.hpp"
#include "actors/session_pings.hpp"
#include "actors/shard.hpp"

namespace tenure::actors {
namespace {

using pointer = node_actor::stateful_pointer<node_state>;
using answer = caf::typed_response_promise<bool>;

// Within one to two of these a connection has said hello.
constexpr auto hello_bound = std::chrono::seconds{5};

// Draining resolves what is held from memory; a part that takes longer than this hangs.
constexpr auto drain_limit = std::chrono::seconds{14};

void drain_sink(pointer self, answer promise) {
  self->request(self->state.sink, drain_limit, drain_atom_v)
      .then([promise](bool ok) mutable { promise.deliver(ok); },
            [promise](caf::error&) mutable { promise.deliver(false); });
}

/// Asks all of `parts`; goes on when each has answered, and delivers false when one does not, or says so.
template <class Actor, class Next>
void drain_all(pointer self, const std::vector<Actor>& parts, answer promise, Next next) {
  auto left = std::make_shared<std::size_t>(parts.size());
  for (const auto& part : parts)
    self->request(part, drain_limit, drain_atom_v)
        .then(
            [left, next, promise](bool fine) mutable {
              if (!fine && promise.pending()) promise.deliver(false);
              if (--*left == 0 && promise.pending()) next();
            },
            [promise](caf::error&) mutable {
              if (promise.pending()) promise.deliver(false);
            });
}

/// The ways in, and to others.
struct doors {
  std::shared_ptr<reception> agents;
  std::shared_ptr<peer_door> nodes;    // null for a node that is alone
  std::shared_ptr<cluster_desk> desk;  // likewise
};

/// What the root looks at, and calls.
struct node_watch {
  std::function<void()> failed;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<const node_counters> counters;
};

node_actor::behavior_type node_behavior(pointer self, std::shared_ptr<const session_routes> routes,
                                        sink_actor sink, doors in, node_watch watch) {
  self->state.door = std::move(in.agents);
  self->state.node_door = std::move(in.nodes);
  self->state.desk = std::move(in.desk);
  self->state.routes = std::move(routes);
  self->state.sink = std::move(sink);
  self->state.failed = std::move(watch.failed);
  self->state.clock = std::move(watch.clock);
  self->state.counters = std::move(watch.counters);
  self->monitor(self->state.sink);
  for (const auto& s : self->state.routes->shards) self->monitor(s);
  for (const auto& d : self->state.routes->delays) self->monitor(d);
  self->set_down_handler([self](const caf::down_msg& down) {
    if (down.reason == caf::exit_reason::user_shutdown) return;
    self->state.door->close();
    if (auto f = std::exchange(self->state.failed, nullptr)) f();
  });
  self->delayed_send(self, hello_bound, hurry_atom_v);
  return {
      [self](drain_atom) {
        // In the order of the path: what a delay actor releases has to pass its shard before the sink is
        // asked.
        auto promise = self->make_response_promise<bool>();
        self->state.door->promise_nothing();
        // Twice: what a shard was asked about before may wait on, and comes back to its delay actor.
        const auto pass = [self, promise](auto next) {
          drain_all(self, self->state.routes->delays, promise,
                    [self, promise, next] { drain_all(self, self->state.routes->shards, promise, next); });
        };
        pass([self, promise, pass] { pass([self, promise] { drain_sink(self, promise); }); });
        return promise;
      },
      [self](await_atom, nanos most) { return await_others(self, most); },
      [self](ready_atom) { look_at_others(self); },
      [self](leave_atom, nanos most) { return leave(self, most); },
      [self](hurry_atom) {
        self->state.door->hurry();
        if (self->state.node_door) self->state.node_door->hurry();
        self->delayed_send(self, hello_bound, hurry_atom_v);
      },
      [self](stop_atom) {
        self->state.failed = nullptr;
        self->state.door->close();
        if (self->state.node_door) {
          self->state.node_door->close();
          for (const auto& p : self->state.desk->close()) self->send_exit(p, caf::exit_reason::user_shutdown);
        }
        for (const auto& d : self->state.routes->delays) self->send_exit(d, caf::exit_reason::user_shutdown);
        for (const auto& s : self->state.routes->shards) self->send_exit(s, caf::exit_reason::user_shutdown);
        self->send_exit(self->state.sink, caf::exit_reason::user_shutdown);
        self->quit();
      },
  };
}

/// What makes a node one of several.
void join(caf::actor_system& system, node& n, const node_settings& settings, const node_world& world,
          const std::shared_ptr<session_routes>& routes, const std::shared_ptr<shared_budget>& budget,
          doors& in) {
  const auto& how = *settings.cluster;
  auto ways = std::make_shared<directions>();
  routes->ways = ways;
  auto guests = std::make_shared<intake_parts>();
  guests->lots.node = settings.name;
  guests->lots.incarnation = how.incarnation;
  guests->lots.started = world.clock->now();
  guests->lots.drift_ppm = settings.drift_ppm;
  guests->lots.credit = how.unsettled_bytes;
  guests->routable = settings.routable;
  guests->budget = budget;
  guests->routes = routes;
  guests->workloads = n.workloads;
  guests->clock = world.clock;
  guests->counters = n.counters;
  guests->book = n.ledger;
  in.nodes = std::make_shared<peer_door>(system, std::move(guests));
  n.accept_node = [door = in.nodes](transport::link_ptr link) { return door->accept(std::move(link)); };

  auto parts = std::make_shared<peer_parts>();
  parts->node = settings.name;
  parts->incarnation = how.incarnation;
  parts->unsettled_bytes = how.unsettled_bytes;
  parts->net = world.nodes;
  parts->clock = world.clock;
  parts->counters = n.counters;
  parts->workloads = n.workloads;
  parts->routes = routes;
  parts->ways = ways;
  in.desk = std::make_shared<cluster_desk>(
      settings.name, how.replicas, how.warm_up, world.clock, ways,
      [&system, parts](cluster::placement::number number, const std::string& name) {
        return system.spawn(peer, parts, number, name);
      });
  parts->desk = in.desk;
  n.desk = in.desk;
}

}  // namespace

node start_node(caf::actor_system& system, const node_settings& settings, node_world world) {
  node n;
  n.counters = std::make_shared<node_counters>();
  n.workloads = std::make_shared<workload_table>(workload_table::usual_capacity,
                                                 keyed_name_hash{hash_of_name, settings.shares.secret});
  auto sink_handle = system.spawn(sink, std::move(world.out),
                                  sink_settings{n.workloads, world.clock, settings.region}, n.counters);
  auto routes = std::make_shared<session_routes>();
  const auto memory = hold::block_pool::make(settings.touched_bytes);
  retention kept = settings.retention;
  kept.shortest = std::max(kept.shortest, 2 * std::max(settings.hold.hold, settings.hold.longest));
  kept.most_bytes /= settings.shards;
  const auto spawn_shard = [&](auto&&... parts) {
    return settings.shards_have_threads
               ? system.spawn<caf::detached>(shard, std::forward<decltype(parts)>(parts)...)
               : system.spawn(shard, std::forward<decltype(parts)>(parts)...);
  };
  for (std::size_t i = 0; i < settings.shards; ++i) {
    auto owners = world.owners ? world.owners(settings.routable)
                               : std::make_shared<attributor>(settings.routable, kept.most_bytes);
    routes->shards.push_back(spawn_shard(std::move(owners), kept, world.clock, sink_handle, n.counters));
    routes->delays.push_back(
        system.spawn(delay, settings.hold, memory, routes->shards.back(), world.clock, n.counters));
  }

  auto shared = std::make_shared<session_settings>();
  shared->node = settings.name;
  shared->clock = settings.clock;
  shared->routable = settings.routable;
  shared->allowed = settings.allowed;
  shared->shares = settings.shares;
  shared->agent_settings = settings.agent_settings;
  shared->shares.span = std::max(shared->shares.span, settings.retention.horizon);
  shared->drift_ppm = settings.drift_ppm;
  shared->longest_promise = longest_promise(settings.hold);
  shared->budget = std::make_shared<shared_budget>(settings.held_bytes);
  n.budget = shared->budget;
  shared->seen = std::make_shared<shared_budget>(settings.seen_bytes);
  n.seen = shared->seen;
  n.ledger = std::make_shared<ledger_book>();
  shared->shards = settings.shards;
  doors in;
  if (settings.cluster) {
    join(system, n, settings, world, routes, shared->budget, in);
    shared->placement = [ways = routes->ways] { return ways->now(); };
  }
  auto parts = std::make_shared<session_parts>();
  parts->settings = std::move(shared);
  parts->routes = routes;
  parts->workloads = n.workloads;
  parts->clock = world.clock;
  parts->counters = n.counters;
  parts->book = n.ledger;
  parts->reminder = system.spawn(reminder, parts->clock);
  auto door = std::make_shared<reception>(system, std::move(parts), settings.max_sessions);
  n.accept = [door](transport::link_ptr link) { return door->accept(std::move(link)); };
  in.agents = std::move(door);
  n.root = system.spawn(node_behavior, std::move(routes), sink_handle, std::move(in),
                        node_watch{std::move(world.failed), std::move(world.clock), n.counters});
  return n;
}

}  // namespace tenure::actors
