#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include "actors/agent_counters.hpp"
#include "actors/known_clocks.hpp"
#include "actors/next_look.hpp"
#include "actors/node_choice.hpp"
#include "actors/protocol.hpp"
#include "agent/address_check.hpp"
#include "agent/batcher.hpp"
#include "agent/clock.hpp"
#include "agent/identity_map.hpp"
#include "agent/retention.hpp"
#include "agent/spool.hpp"
#include "agent/tenancy_tracker.hpp"
#include "agent/usage_check.hpp"
#include "transport/transport.hpp"

namespace tenure::actors {

/// What may change while an exporter runs. Any thread.
struct exporter_pace {
  std::atomic<nanos> heartbeat;
  std::atomic<nanos> linger;
};

/// How an agent is to behave.
struct exporter_settings {
  std::string name = "agent";
  std::uint64_t incarnation = 0;   ///< drawn at random by the main, not 0
  std::vector<std::string> nodes;  ///< "host:port"; a host may stand for several addresses: each is tried
  /// Keep a second link, to another node where there is one, which learns our clock in time to take over.
  bool spare = false;
  nanos heartbeat = 10 * second;
  nanos linger = 1 * second;    ///< how long flows gather before a batch is sealed
  nanos repeat = 360 * second;  ///< ended tenancies are reported again for so long
  std::size_t max_retained_bytes = 48U << 20;
  /// Short flows share records (agent/short_flows.hpp) while retention is so full, in hundredths of its
  /// bound, or while so many flows of the source wait to be looked at.
  std::size_t shed_at_percent = SIZE_MAX;
  std::size_t shed_at_waiting = SIZE_MAX;
  /// Send batches compressed to nodes that read it: pays where links leave the host.
  bool compress = false;
};

/// What is kept of batches outside memory.
struct exporter_spool {
  std::shared_ptr<agent::spool> batches;  ///< null: nothing
  std::size_t max_bytes = 0;
  /// It is an earlier agent's: deliver what is there, then end.
  bool inherited = false;
};

/// What an agent stands on; the simulator hands in its own. The pointers outlive the actor.
struct exporter_world {
  std::shared_ptr<const agent::boot_clock> clock;
  std::shared_ptr<agent::identity_map> identities;
  std::shared_ptr<agent::address_check> addresses;
  std::shared_ptr<transport::transport> transport;
  exporter_spool spool = {};
  std::shared_ptr<agent::usage_check> usages = {};     ///< null: the agent sees no usages itself
  std::shared_ptr<agent::cgroup_naming> cgroups = {};  ///< null: no socket is named by its cgroup
  std::shared_ptr<const exporter_pace> pace = {};      ///< null: as the settings say
  /// Takes what a node wants of its agents; empty: nothing is taken from nodes.
  std::function<outcome<void>(const std::string& toml)> take_settings = {};
};

/// The exporter's end of a link, which the transport's thread answers pings from.
struct link_end;

/// Drives tracker, batcher and retention, and keeps the link to a node.
struct exporter_state {
  static inline const char* name = "exporter";

  exporter_settings settings;
  exporter_world world;
  std::shared_ptr<agent_counters> counters;
  std::unique_ptr<agent::tenancy_tracker> tracker;
  std::unique_ptr<agent::batcher> gathering;
  std::unique_ptr<agent::retention> retained;

  /// A link to a node, or the wish to have one.
  struct node_link {
    transport::link_ptr link;
    std::shared_ptr<link_end> end;
    std::uint64_t number = 0;  ///< of the current link; events of earlier ones are stale
    std::string node;          ///< as it calls itself; empty: we are not welcome there yet
    std::uint64_t credit = 0;  ///< the node's
    std::string address;       ///< that was dialed
    /// How many agents the node has, plus one, as its last ping said; 0: it does not say. Written by the
    /// transport.
    std::shared_ptr<std::atomic<std::uint32_t>> agents;
    bool compressed = false;  ///< it reads compressed batches
    bool packed = false;      ///< it reads packed batches
    bool welcomed() const { return !node.empty(); }
  };
  node_link main;                 ///< that batches go over
  node_link spare;                ///< where only the clock is told
  std::uint64_t link_number = 0;  ///< the last one that was given
  std::uint64_t sent_batch = 0;   ///< the last one over the main link
  std::uint64_t sent_bytes = 0;   ///< of batches over the main link
  bool packs = false;             ///< the last node that batches went to reads packed ones
  std::uint32_t failed_dials = 0;
  std::uint32_t failed_spares = 0;
  std::unique_ptr<node_choice> choice;
  std::shared_ptr<known_clocks> clocks = std::make_shared<known_clocks>();
  bool resolving = false;      ///< a found_atom is under way
  std::string new_node;        ///< an address that the spare link should try
  std::uint64_t seasoned = 0;  ///< the spare link that was welcome at the last look; 0: none
  /// The last batch that went over the link that is spare since we moved, and was the main one: it is kept
  /// until all up to there is acknowledged. 0: nothing.
  std::uint64_t owed = 0;
  std::minstd_rand
      jitter;  ///< seeded with the incarnation: spreads reconnecting agents, decides nothing else
  bool seal_timer_set = false;
  next_look next_look_at_waiting;
  bool look_timer_set = false;
  std::vector<caf::typed_response_promise<bool>> draining;

  /// Who waits for this batch of evidence alone to be acknowledged.
  struct telling {
    std::uint64_t batch = 0;
    caf::typed_response_promise<bool> promise;
  };
  std::vector<telling> tellings;
};

exporter_actor::behavior_type exporter(exporter_actor::stateful_pointer<exporter_state> self,
                                       exporter_settings settings, exporter_world world,
                                       std::shared_ptr<agent_counters> counters);

}  // namespace tenure::actors
