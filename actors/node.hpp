#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/clocks.hpp"
#include "actors/cluster_desk.hpp"
#include "actors/hold_queue.hpp"
#include "actors/node_counters.hpp"
#include "actors/peer_door.hpp"
#include "actors/reception.hpp"
#include "actors/session.hpp"
#include "actors/settings_board.hpp"
#include "actors/sink.hpp"
#include "ownership/attributor.hpp"
#include "ownership/prefix.hpp"
#include "ownership/retention.hpp"

namespace tenure::actors {

/// How a node is to be one of several.
struct cluster_settings {
  std::uint64_t incarnation = 0;  ///< drawn anew by each start, not 0
  std::size_t replicas = 2;       ///< nodes that have the evidence about an address
  /// A node counts as warm when it has been up for so long: it knows timelines and clocks from before.
  nanos warm_up = 10 * second;
  std::size_t unsettled_bytes = 256U << 20;  ///< of lots, to each other node
};

/// How a node is to behave.
struct node_settings {
  std::string name = "node";
  std::string region;
  /// Names the clock that it stands on, on this machine since its start: the same for the node's next process
  /// there, another one on every other machine. 0: agents keep nothing of it.
  std::uint64_t clock = 0;
  prefix_set routable = prefix_set::everything();
  hold_settings hold;
  std::size_t touched_bytes = 0;  ///< of memory for what is held, to have ready from the start
  std::int64_t drift_ppm = 200;
  std::size_t shards = 4;  ///< actors that the prefixes are spread over
  /// Each shard runs on a thread of its own; otherwise, as all actors do, on those of the system's scheduler.
  bool shards_have_threads = false;
  std::size_t max_sessions = 20'000;
  std::size_t held_bytes = std::size_t{1} << 30;   ///< for flows that are held; agents wait for credit beyond
  std::size_t seen_bytes = std::size_t{64} << 20;  ///< for what was seen of batches (batch_ledger.hpp)
  /// As one of several; nothing: alone.
  std::optional<cluster_settings> cluster;
  /// What agents may claim; none: everything.
  std::shared_ptr<const allow_rules> allowed;
  /// What one agent may fill; its span is raised to the horizon.
  share_bounds shares;
  /// For agents; null: they keep their own.
  std::shared_ptr<const settings_board> agent_settings;
  /// Of all shards together. `shortest` is raised to twice the hold.
  tenure::retention retention;
};

/// What a node stands on; the simulator hands in its own.
struct node_world {
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<sinks::record_sink> out;
  std::function<void()> failed;  ///< called once, from any thread, when the node cannot go on
  /// Makes what a shard judges with; empty: the attributor itself.
  std::function<std::shared_ptr<attributor>(const prefix_set& routable)> owners = {};
  /// To other nodes; null where there are none.
  std::shared_ptr<transport::transport> nodes = {};
};

/// A running node.
struct node {
  node_actor root;
  std::shared_ptr<node_counters> counters;
  std::shared_ptr<workload_table> workloads;
  std::shared_ptr<ledger_book> ledger;
  std::shared_ptr<const shared_budget> budget;
  std::shared_ptr<const shared_budget> seen;  ///< see node_settings::seen_bytes
  transport::acceptor accept;                 ///< for the transport to listen with; any thread
  transport::acceptor accept_node;            ///< the same for other nodes; empty for one that is alone
  /// Is to be told who is there; null for one that is alone.
  std::shared_ptr<cluster_desk> desk;
};

node start_node(caf::actor_system& system, const node_settings& settings, node_world world);

/// Watches over a node's actors.
struct node_state {
  static inline const char* name = "node";

  std::shared_ptr<const session_routes> routes;
  sink_actor sink;
  std::shared_ptr<reception> door;
  std::shared_ptr<peer_door> node_door;  ///< null for a node that is alone
  std::shared_ptr<cluster_desk> desk;    ///< likewise
  std::function<void()> failed;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<const node_counters> counters;
  std::vector<caf::typed_response_promise<bool>> awaiting;  ///< who waits for others that could take over
  nanos await_until = 0;
};

}  // namespace tenure::actors
