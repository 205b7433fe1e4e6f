#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/agent_credit.hpp"
#include "actors/batch_ledger.hpp"
#include "actors/batch_placing.hpp"
#include "actors/flow_ledger.hpp"
#include "actors/node_counters.hpp"
#include "actors/session_pings.hpp"
#include "actors/session_settings.hpp"
#include "actors/shared_budget.hpp"
#include "capnp/received_batch.hpp"
#include "ownership/clock_bound.hpp"
#include "ownership/workload_table.hpp"

namespace tenure::actors {

/// What a session does about something that was received.
struct session_reaction {
  std::vector<wire::message> send;
  std::vector<placed_batch> placed;
  /// When to call `ask`: batches wait for a ping that may not go out yet, or one was promised.
  std::optional<nanos> ask_at;
  /// The first thing of this connection that the agent claimed and may not, for people; empty: none.
  std::string refused_claim;
  std::size_t bytes = 0;  ///< of the frames, as they are when they are not compressed
};

/// The node's side of capnp/wire.capnp for one incarnation of an agent, over one connection after the other.
/// Knows neither actors nor sockets; one thread.
///
/// A batch is placed in time only when a pong was read after its last stamp, so batches cause pings and wait
/// for the answer: one round trip. Batches of an agent that waits come behind the answer to a ping that was
/// promised, at once with it; what is acknowledged meanwhile goes along with that ping.
/// What the clock showed and what became of batches outlives the connection:
/// an agent that comes back sends again what is not acknowledged, and that is neither written twice nor
/// without a clock.
class session_protocol {
 public:
  session_protocol(std::shared_ptr<const session_settings> settings,
                   std::shared_ptr<workload_table> workloads, std::shared_ptr<node_counters> counters);

  /// The agent connected, and said this. @pre the same incarnation as ever, and it is not connected
  /// @param identity its SPIFFE id, where links carry TLS
  session_reaction connected(const wire::hello& h, nanos now, const std::string& identity = {});

  /// One of the frames that came together. What they cause adds up in `r`; renew_credit(r) and ask(now, r)
  /// come after the last. @param at when the transport handed the frame over; @param now, for the ping that
  /// may go out. Cluster time.
  /// @returns a failure when the frame breaks the protocol: the connection has to be closed, after saying
  /// goodbye with its text and doing what `r` has by then. @pre it is connected
  outcome<void> receive(wire::frame_ptr frame, nanos at, nanos now, session_reaction& r);

  /// The ping that batches wait for or that was promised, when its time has come; and what may go along with
  /// it or with the rest of `r`.
  session_reaction ask(nanos now);
  void ask(nanos now, session_reaction& r);
  /// No ping is promised from now on, and what waited for one is said.
  session_reaction promise_nothing(nanos now);

  /// The regular ping, unless one was answered just now; a failure when the agent has left pings or batches
  /// unanswered for too long.
  outcome<session_reaction> tick(nanos now);

  /// Flows of a batch are durable; acknowledges it when it is complete, if the agent is there.
  /// `after_durable` comes after the last. @param forwarded how many of them another node answered for
  void durable(std::uint64_t batch, const answer_counts<std::uint32_t>& answers, std::uint32_t forwarded);
  /// Acknowledgements, unless they wait for a ping that was promised; more credit, and a ping when one is
  /// due.
  session_reaction after_durable(nanos now);

  /// Tells the agent more credit, when there is more.
  session_reaction renew_credit();
  void renew_credit(session_reaction& r);
  /// So many bytes of this agent's evidence are on their way to where it is merged, for as long as what is
  /// returned lives, on any thread. As long as any are, the agent gets no credit that passes the budget.
  evidence_room room_for_evidence(std::size_t bytes) const {
    return {{settings_->budget, bytes}, {evidence_, bytes}};
  }
  /// Whether renew_credit is to be called again within some tenths of a second.
  bool wants_credit() const { return connected_ && credit_.wanting(); }

  /// The connection is lost. Counts what was not placed yet; the agent sends it again.
  void disconnected();

  bool is_connected() const { return connected_; }
  const std::string& agent() const { return agent_; }
  std::uint64_t incarnation() const { return incarnation_; }
  /// What became of this agent's flows up to now.
  flow_ledger flows() const;
  /// Whether flows are on their way.
  bool owes() const { return ledger_.open_batches() > 0; }
  /// Batches came over this connection: it is no spare link.
  bool is_sent_batches() const { return sent_batches_; }
  /// Whether acknowledgements wait for a ping that was promised.
  bool has_unsaid() const { return !unsaid_.empty(); }
  /// Whether there is anything to know again, should the agent come back.
  bool has_history() const { return !ledger_.empty(); }

 private:
  struct in_wait {
    wire::received_batch batch;
    nanos since = 0;
    std::size_t bytes = 0;
    std::uint64_t first_ping_after = 0;  // an answer to it was read after the batch was sent
  };

  outcome<void> take(wire::received_batch&& b, std::size_t bytes, nanos now, session_reaction& r);
  outcome<void> bracket_with(const wire::pong& p, nanos at, nanos now, session_reaction& r);
  void count_gap(std::uint64_t number);
  void drop(std::size_t flows);
  void acknowledge(session_reaction& r, std::uint64_t batch);
  void add_acknowledgement(std::vector<wire::message>& to, std::uint64_t batch) const;
  void take_again(const wire::received_batch& b, batch_ledger::standing known, session_reaction& r);
  void place_what_can_be(session_reaction& r, nanos now);
  session_pings::waiting waits_for_clock() const;
  void ping_if_due(session_reaction& r, nanos now);
  void say_acknowledged(session_reaction& r);
  void tell_settings(session_reaction& r);
  wire::message ping(const session_pings::question& q);

  std::shared_ptr<const session_settings> settings_;
  std::shared_ptr<node_counters> counters_;
  std::string agent_;
  std::uint64_t incarnation_ = 0;
  clock_bound clock_;
  nanos latest_reading_ = time_min;
  batch_ledger ledger_;
  flow_ledger flows_;          // without what is held
  std::uint64_t highest_ = 0;  // number of a batch that was placed
  std::shared_ptr<shared_budget> evidence_ = std::make_shared<shared_budget>(0);
  agent_credit credit_;
  batch_placing placing_;

  // Of this connection.
  bool takes_settings_ = false;
  bool takes_runs_ = false;
  std::shared_ptr<const wire::settings> told_settings_;  // over this connection
  bool connected_ = false;
  std::uint64_t last_batch_ = 0;
  session_pings pings_;
  std::vector<wire::message> unsaid_;  // acknowledgements that wait for a ping
  std::optional<nanos> bracketed_at_;  // when the last ping that was answered was sent
  std::deque<in_wait> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::size_t waiting_flows_ = 0;
  std::size_t waiting_evidence_ = 0;
  bool sent_batches_ = false;
};

}  // namespace tenure::actors
