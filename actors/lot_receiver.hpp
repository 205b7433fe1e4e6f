#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/batch_ledger.hpp"
#include "capnp/codec.hpp"
#include "ownership/clock_bound.hpp"
#include "ownership/outcome.hpp"
#include "ownership/workload_table.hpp"

namespace tenure::actors {

struct lot_receiver_settings {
  std::string node;                 ///< our name in the cluster
  std::uint64_t incarnation = 0;    ///< ours, not 0
  nanos started = 0;                ///< when our process began, in our time
  std::int64_t drift_ppm = 200;     ///< bound on the drift between the two nodes' clocks
  std::size_t credit = 256U << 20;  ///< bytes of lots that the other node may have unsettled
  nanos ping_pace = 1 * second;
  /// While lots wait for a reading, pings are this far apart at least: the lots of that time share one.
  nanos pings_apart = 50 * millisecond;
  /// A node that answers no ping for so long is taken for dead.
  nanos max_silence = 3 * second;
};

/// A lot in our own cluster time, with workloads of our table.
struct placed_lot {
  std::uint64_t id = 0;
  std::string agent;
  std::uint64_t incarnation = 0;  ///< the agent's
  std::uint64_t batch = 0;        ///< the agent's
  std::vector<evidence> items;
  std::vector<flow> flows;
  bool handed_over = false;  ///< the items are from timelines that move
  std::size_t left_out = 0;  ///< items that could not be placed
};

/// The receiving side of what passes between two nodes, for one incarnation of the sending node over one
/// connection after the other: bounds the sender's clock, places its lots in our time, knows lots again that
/// are sent again, and says when they are settled. Knows neither actors nor sockets; one thread.
class lot_receiver {
 public:
  lot_receiver(lot_receiver_settings settings, std::shared_ptr<workload_table> workloads);

  struct reaction {
    std::vector<wire::message> send;
    std::vector<placed_lot> placed;  ///< each lot once
    /// When to call `ask`: lots wait for a ping that may not go out yet.
    std::optional<nanos> ask_at;
  };

  /// The sending node connected, and said this. @pre it is not connected, and the incarnation is as ever
  outcome<reaction> connected(const wire::peer_hello& h, nanos now);
  /// @param at when the transport handed the frame over; @param now, for the ping that may go out
  /// @returns a failure when the other side breaks the protocol: the link has to be closed.
  outcome<reaction> receive(const wire::frame& f, nanos at, nanos now);
  /// The ping that lots wait for, as soon as it may go out.
  reaction ask(nanos now);
  /// The regular ping; a failure when the other node is silent for too long. Several times a second.
  outcome<reaction> tick(nanos now);
  /// So many flows of a lot are durable.
  reaction durable(std::uint64_t lot, std::size_t flows);
  void disconnected();

  bool is_connected() const { return connected_; }
  std::uint64_t lots_repeated() const { return repeated_; }
  std::uint64_t evidence_refused() const { return evidence_refused_; }
  /// See batch_ledger.
  std::size_t take_forgotten() { return ledger_.take_forgotten(); }

 private:
  struct waiting_lot {
    wire::lot lot;
    std::size_t bytes = 0;
    std::uint64_t first_ping_after = 0;
  };
  outcome<reaction> take(wire::lot&& l, std::size_t bytes, nanos now);
  outcome<reaction> bracket_with(const wire::pong& p, nanos at, nanos now);
  void ping(reaction& r, nanos now);
  void ping_if_waiting(reaction& r, nanos now);
  placed_lot place(wire::lot&& l);

  lot_receiver_settings settings_;
  std::shared_ptr<workload_table> workloads_;
  clock_bound clock_;
  // Of lots; nodes are few, so each has room for as many runs as there may be.
  batch_ledger ledger_{
      std::make_shared<shared_budget>(batch_ledger::limits{}.runs * batch_ledger::run_bytes)};
  std::uint64_t repeated_ = 0;
  std::uint64_t evidence_refused_ = 0;

  // Of this connection.
  bool connected_ = false;
  std::map<std::uint64_t, nanos> pings_;  // id -> sent at
  std::uint64_t next_ping_ = 1;           // never the same again
  nanos last_ping_ = time_min;
  std::deque<waiting_lot> waiting_;
  std::size_t waiting_bytes_ = 0;
};

}  // namespace tenure::actors
