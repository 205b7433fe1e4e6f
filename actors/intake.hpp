#pragma once

#include <memory>
#include <unordered_map>

#include "actors/agent_credit.hpp"
#include "actors/lot_receiver.hpp"
#include "actors/node_counters.hpp"
#include "actors/session.hpp"
#include "ownership/prefix.hpp"

namespace tenure::actors {

/// What all intakes of a node share.
struct intake_parts {
  lot_receiver_settings lots;
  prefix_set routable;
  std::shared_ptr<shared_budget> budget;
  std::shared_ptr<const session_routes> routes;
  std::shared_ptr<workload_table> workloads;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
  std::shared_ptr<ledger_book> book;
};

/// Drives a lot_receiver: frames in, lots to shards and delay actors.
struct intake_state {
  static inline const char* name = "intake";
  ~intake_state();

  std::shared_ptr<const intake_parts> parts;
  std::unique_ptr<lot_receiver> lots;
  visit_ptr here;  ///< the connection; null when there is none
  std::string node;
  std::unordered_map<std::string, flow_origin_ptr> origins;  ///< by agent
  std::shared_ptr<ledger_book::page> page;
  flow_ledger flows;            ///< of this node, what is held included
  std::int64_t held_bytes = 0;  ///< of the budget
  std::uint64_t repeated = 0;   ///< as counted
  std::uint64_t refused = 0;    ///< as counted
  bool retired = false;
  bool asking = false;  ///< an ask_atom is under way
};

intake_actor::behavior_type intake(intake_actor::stateful_pointer<intake_state> self,
                                   std::shared_ptr<const intake_parts> parts);

}  // namespace tenure::actors
