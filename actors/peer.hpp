#pragma once

#include <deque>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "actors/cluster_desk.hpp"
#include "actors/hand_over.hpp"
#include "actors/lot_sender.hpp"
#include "actors/node_counters.hpp"
#include "actors/session.hpp"

namespace tenure::actors {

/// What all peer actors of a node share.
struct peer_parts {
  std::string node;               ///< our name
  std::uint64_t incarnation = 0;  ///< ours, not 0
  std::size_t unsettled_bytes = 256U << 20;
  std::shared_ptr<transport::transport> net;
  std::shared_ptr<const node_clock> clock;
  std::shared_ptr<node_counters> counters;
  std::shared_ptr<workload_table> workloads;
  std::shared_ptr<const session_routes> routes;
  std::shared_ptr<directions> ways;
  std::weak_ptr<cluster_desk> desk;
};

/// Drives a lot_sender: lots in, frames out, and what the other node will not settle goes another way.
struct peer_state {
  static inline const char* name = "peer";

  struct sent_lot {
    flow_origin_ptr origin;  ///< null: evidence alone, which nobody waits for
    std::uint64_t ticket = 0;
    std::uint32_t flows = 0;
    std::uint64_t request = 0;  ///< timelines handed over for it; 0: none
    std::uint32_t shard = 0;    ///< that they are from
    std::uint32_t items = 0;    ///< of them
  };

  std::shared_ptr<const peer_parts> parts;
  cluster::placement::number number = 0;
  std::string other;  ///< its name
  std::string address;
  bool wanted = false;  ///< it is a member
  bool away = false;    ///< as the desk was told
  std::unique_ptr<lot_sender> lots;
  std::unordered_map<std::uint64_t, sent_lot> sent;  ///< by tag
  std::uint64_t last_tag = 0;
  std::uint64_t sent_again = 0;      ///< as counted
  std::deque<flow_lot_ptr> waiting;  ///< to be sent together, for room, or for anybody to be there; as much
                                     ///< as agents' credit allows
  bool gathering = false;            ///< a seal_atom is under way
  std::shared_ptr<const cluster::placement> looked_at;  ///< when what waits was last looked through
  hand_over timelines;
  std::deque<std::pair<std::uint32_t, wire::lot>> handing;  ///< of which shard; a chunk of each at most
  std::uint64_t abandoned = 0;                              ///< as counted
  transport::link_ptr link;
  std::uint64_t link_number = 0;
  nanos missed_since = 0;  ///< it has not been welcome since
  std::uint32_t failed_dials = 0;
  std::minstd_rand jitter;
  std::vector<caf::typed_response_promise<bool>>
      leaving;  ///< we leave: who waits for its timelines to be there
};

peer_actor::behavior_type peer(peer_actor::stateful_pointer<peer_state> self,
                               std::shared_ptr<const peer_parts> parts, cluster::placement::number number,
                               std::string other);

}  // namespace tenure::actors
