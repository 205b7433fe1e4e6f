#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actors/agent_credit.hpp"
#include "actors/agent_share.hpp"
#include "actors/allow_rules.hpp"
#include "actors/settings_board.hpp"
#include "cluster/placement.hpp"
#include "ownership/prefix.hpp"

namespace tenure::actors {

/// What all sessions of a node share.
struct session_settings {
  std::string node;                                ///< this node's name, told to agents
  std::uint64_t clock = 0;                         ///< see node_settings
  prefix_set routable = prefix_set::everything();  ///< where evidence is accepted for
  std::int64_t drift_ppm = 200;                    ///< bound on the drift between an agent's clock and ours
  /// Of batches that were received and are not yet placed in time: more than an agent retains, since it sends
  /// all of that at once to a node that it comes back to.
  std::size_t max_waiting_bytes = 64U << 20;
  /// For held flows, shared by all agents.
  std::shared_ptr<shared_budget> budget = std::make_shared<shared_budget>(std::size_t{1} << 30);
  /// For what was seen of all agents' batches, so that repeats are known.
  std::shared_ptr<shared_budget> seen = std::make_shared<shared_budget>(std::size_t{64} << 20);
  /// What agents may claim; none: everything.
  std::shared_ptr<const allow_rules> allowed;
  share_bounds shares;
  /// For agents; null: they keep their own.
  std::shared_ptr<const settings_board> agent_settings;
  nanos max_wait = 30 * second;  ///< for a bracket after a batch's last stamp
  /// The next ping is promised to an agent for so long ahead, at most; 0: never. Its batches wait for it, and
  /// come so much later to where they are held: little of the hold.
  nanos longest_promise = 0;
  std::size_t shards = 1;  ///< that flows are sorted by; not 0
  /// Says where things go now; empty: they stay.
  std::function<std::shared_ptr<const cluster::placement>()> placement;
};

}  // namespace tenure::actors
