#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "actors/flow_ledger.hpp"
#include "actors/output_delays.hpp"
#include "actors/stage_meter.hpp"
#include "actors/sync_times.hpp"
#include "ownership/verdict.hpp"

namespace tenure::actors {

/// What one node counted since it started. Written by its actors, read by anyone.
///
/// The ledger: flows_received + flows_from_nodes = flows_repeated + flows_attributed + flows_unattributed
/// (all reasons) + flows_forwarded + flows_held + flows_dropped, where held is everything between a session
/// and the sink's durability.
struct node_counters {
  using counter = std::atomic<std::uint64_t>;

  stage_meter stages;
  sync_times output_syncs;
  output_delays close_to_output;  ///< when a flow was answered for good, less its close
  counter sessions_opened = 0;
  counter sessions_closed = 0;
  counter sessions_refused = 0;   ///< wrong version, or more sessions than allowed
  counter sessions_flooding = 0;  ///< cut off: far more was sent than credit allows
  counter agents_here = 0;        ///< gauge: agents whose batches come here
  counter frames_refused = 0;     ///< too long, cut off, not a valid message, or out of order
  counter batches_received = 0;
  counter batches_repeated = 0;      ///< that were taken before, over an earlier connection of their agent
  counter batches_refused = 0;       ///< they broke the protocol, and their connection was closed
  counter batch_gaps = 0;            ///< numbers that an agent left out, however many at once
  counter batch_runs_forgotten = 0;  ///< of numbers of durable batches and lots: repeats count as new
  counter agents_forgotten = 0;      ///< earlier than others, since too many were away
  counter batches_acknowledged = 0;
  counter batches_abandoned =
      0;  ///< their session ended before they were converted; the agent sends them again
  counter brackets = 0;
  counter brackets_refused = 0;  ///< that prove nothing: unasked for, or a clock that ran backwards
  counter evidence_received = 0;
  counter evidence_waiting = 0;  ///< gauge: on its way to its shard
  counter evidence_merged = 0;   ///< it changed a timeline
  counter evidence_refused = 0;  ///< outside the routable CIDRs, host-local, or without a clock
  counter evidence_too_old = 0;  ///< it ends before what was forgotten
  counter evidence_no_room = 0;  ///< of a new tenancy, when memory for timelines was short
  counter tenancies_forgotten = 0;
  /// What the timelines hold now.
  counter addresses = 0;
  counter tenancies = 0;
  counter timeline_bytes = 0;
  counter flows_received = 0;      ///< repeats included
  counter connections_joined = 0;  ///< that share the record of another one, by their agents
  counter flows_repeated = 0;      ///< of batches that were taken before: not written a second time
  counter flows_attributed = 0;
  answer_counts<counter> flows_unattributed{};
  counter flows_from_nodes = 0;  ///< in lots of other nodes, each lot once
  counter flows_forwarded = 0;   ///< to other nodes, and durable there
  counter flows_rerouted = 0;    ///< taken back from a node that went away, to go another way
  counter evidence_from_nodes = 0;
  counter evidence_undelivered = 0;  ///< for a node that was away, or could not take more
  counter timelines_sent = 0;        ///< tenancies, to nodes that hold their prefixes now, and settled there
  counter timelines_sent_bytes = 0;  ///< of frames
  counter timelines_received = 0;    ///< tenancies that other nodes handed over
  counter timelines_refused = 0;     ///< those of them that could not be placed in our time
  counter hand_overs = 0;            ///< that were completed
  counter hand_overs_abandoned = 0;  ///< the other node went away meanwhile
  counter hand_over_nanos = 0;       ///< that completed ones took
  counter lots_sent_again = 0;
  counter lots_repeated = 0;      ///< that had come before
  counter flows_dropped = 0;      ///< abandoned with their batch; counted again when they are sent again
  counter near_unproved = 0;      ///< flows without a near tenancy
  counter workloads_refused = 0;  ///< the table of names is full
  counter sink_failures = 0;
  counter sink_fillings = 0;         ///< times that the output had no room
  counter sink_full = 0;             ///< gauge: 1 while it has none
  counter sink_unwritten = 0;        ///< gauge: bytes that wait to be written, as of the last lot or sync
  counter hold_flows = 0;            ///< gauge: in the hold
  counter hold_bytes = 0;            ///< gauge: what they take there
  counter flows_asked = 0;           ///< questions about far ends; with early release several a flow
  counter flows_released = 0;        ///< gauge: on their way from the hold to the output
  counter claims_refused = 0;        ///< evidence and near ends that the agent's certificate may not claim
  counter takeovers_refused = 0;     ///< connections that said an incarnation of another certificate's
  counter tenancies_over_share = 0;  ///< evidence of more tenancies than one agent may have
  counter workloads_over_share = 0;  ///< new names beyond what one agent may bring

  /// Counts answers that are final, by their reasons; none is for those that are attributed.
  void count(const answer_counts<std::uint64_t>& answers) {
    flows_attributed += answers[0];
    for (std::size_t i = 1; i < answers.size(); ++i)
      if (answers[i] > 0) flows_unattributed[i] += answers[i];
  }
  std::uint64_t flows_resolved() const {
    std::uint64_t sum = flows_attributed;
    for (const auto& c : flows_unattributed) sum += c;
    return sum;
  }
  std::uint64_t flows_held() const {
    return flows_received + flows_from_nodes - flows_repeated - flows_resolved() - flows_forwarded -
           flows_dropped;
  }
};

}  // namespace tenure::actors
