#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <caf/actor.hpp>

#include "actors/clocks.hpp"
#include "actors/directions.hpp"
#include "actors/next_look.hpp"
#include "actors/protocol.hpp"
#include "actors/session_protocol.hpp"

namespace tenure::actors {

/// Where a session routes to: one delay actor and one shard for each shard number.
struct session_routes {
  std::vector<shard_actor> shards;
  std::vector<delay_actor> delays;
  std::shared_ptr<const directions> ways;  ///< to other nodes; null: there are none
};

class reception;

/// What frames of one connection may take while they wait for the session: more than credit allows an agent
/// to send at once. As much again may be with the session, which reads what it took.
inline constexpr std::size_t max_inbox_bytes = 8U << 20;
/// What it reads of them, expanded, before others have their turn: some milliseconds' work.
inline constexpr std::size_t max_turn_bytes = 1U << 20;

/// Drives a session_protocol: frames in, lots and frames out.
struct session_state {
  static inline const char* name = "session";

  std::unique_ptr<session_protocol> protocol;
  std::shared_ptr<const session_routes> routes;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
  std::weak_ptr<reception> door;
  next_look looks;    ///< when the reminder's timer is to come
  nanos tick_at = 0;  ///< when the regular look is due
  caf::actor reminder;
  std::shared_ptr<ledger_book> book;
  std::shared_ptr<ledger_book::page> page;  ///< since the agent said its name
  bool credit_timer_set = false;
  bool counted = false;                    ///< among the agents whose batches come here
  flow_origin_ptr origin;                  ///< since the agent said its name
  std::vector<received_frame_ptr> frames;  ///< the inbox as it was taken
  std::size_t next_frame = 0;              ///< of them; those before were read
  std::vector<wire::frame> frames_out;     ///< that are about to go
  arrival_ptr here;                        ///< the connection; null when there is none
  std::uint64_t arrivals = 0;              ///< connections so far
  nanos gone_at = 0;                       ///< when the last one ended
  nanos remembered = 0;                    ///< from then on
};

/// What sessions of one node are made from.
struct session_parts {
  std::shared_ptr<const session_settings> settings;
  std::shared_ptr<const session_routes> routes;
  std::shared_ptr<workload_table> workloads;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
  std::shared_ptr<ledger_book> book;
  caf::actor reminder;  ///< reminder.hpp
};

/// Ends by itself when the agent has been away for long enough and nothing of it is on its way.
session_actor::behavior_type session(session_actor::stateful_pointer<session_state> self,
                                     std::shared_ptr<const session_parts> parts,
                                     std::weak_ptr<reception> door);

}  // namespace tenure::actors
