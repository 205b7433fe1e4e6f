#include "actors/session_protocol.hpp"

#include <algorithm>
#include <utility>

#include "actors/known_clocks.hpp"
#include "capnp/compression.hpp"
#include "ownership/invariant.hpp"

namespace tenure::actors {
namespace {

// The regular ping is left out where another one was answered within this time.
constexpr nanos still_fresh = 2'500 * millisecond;

// What is remembered of an agent's clock: two minutes at least, however many batches cause pings.
constexpr std::size_t brackets_kept = 256;
constexpr nanos brackets_apart = second / 2;

}  // namespace

session_protocol::session_protocol(std::shared_ptr<const session_settings> settings,
                                   std::shared_ptr<workload_table> workloads,
                                   std::shared_ptr<node_counters> counters)
    : settings_(std::move(settings)),
      counters_(std::move(counters)),
      clock_(settings_->drift_ppm, brackets_kept, brackets_apart),
      ledger_(settings_->seen),
      credit_(settings_->budget),
      placing_(settings_, std::move(workloads), counters_),
      pings_(settings_->longest_promise) {}

session_reaction session_protocol::connected(const wire::hello& h, nanos now, const std::string& identity) {
  invariant(!connected_ && (incarnation_ == 0 || incarnation_ == h.incarnation), "one connection at a time");
  connected_ = true;
  incarnation_ = h.incarnation;
  agent_ = h.agent;
  placing_.connected(incarnation_, permit(settings_->allowed, identity));
  if (clock_.empty()) counters_->brackets_refused += recall(h.brackets, settings_->clock, now, clock_);
  session_reaction r;
  takes_settings_ = h.settings;
  takes_runs_ = h.runs;
  told_settings_.reset();
  r.send.emplace_back(wire::welcome{wire::protocol_version, settings_->node, true, true, wire::packed_form});
  tell_settings(r);
  pings_.connected(h.waits);
  r.send.push_back(ping(pings_.ask(now)));
  credit_.connected(h.credit, h.spare);
  renew_credit(r);
  return r;
}

outcome<void> session_protocol::receive(wire::frame_ptr frame, nanos at, nanos now, session_reaction& r) {
  const auto given = frame;
  auto whole = wire::expand(std::move(frame));
  if (!whole) {
    ++counters_->frames_refused;
    return tl::unexpected(whole.error());
  }
  const std::size_t bytes = (*whole)->size() * sizeof((*whole)->front());
  r.bytes += bytes;
  const bool expanded = *whole != given;
  auto received = wire::receive(std::move(*whole), incarnation_);
  if (!received) {
    ++counters_->frames_refused;
    return tl::unexpected(received.error());
  }
  if (auto* b = std::get_if<wire::received_batch>(&*received)) return take(std::move(*b), bytes, now, r);
  // Nothing else is worth it, and else bytes that are neither counted nor within credit could be had for
  // less.
  if (expanded) {
    ++counters_->frames_refused;
    return fail(trouble::usage, "compressed, and not a batch");
  }
  if (const auto* p = std::get_if<wire::pong>(std::get_if<wire::message>(&*received)))
    return bracket_with(*p, at, now, r);
  ++counters_->frames_refused;
  return fail(trouble::usage, "a message that an agent does not send now");
}

wire::message session_protocol::ping(const session_pings::question& q) {
  wire::ping out{q.id, static_cast<std::uint32_t>(counters_->agents_here + 1)};
  // For the agent to keep, should this process end.
  if (const auto known = clock_.latest(); known && settings_->clock != 0)
    out.known = {settings_->clock, known->sent, known->received, known->theirs};
  out.next_ms = static_cast<std::uint32_t>(q.promised / millisecond);
  return out;
}

outcome<void> session_protocol::take(wire::received_batch&& b, std::size_t bytes, nanos now,
                                     session_reaction& r) {
  sent_batches_ = true;
  ++counters_->batches_received;
  const std::uint64_t number = b.number();
  if (number <= last_batch_) {
    ++counters_->batches_refused;
    return fail(trouble::usage, "batch numbers must increase");
  }
  last_batch_ = number;
  pings_.came(b.flow_count());
  counters_->flows_received += b.flow_count();
  flows_.received += b.flow_count();
  if (!credit_.received(bytes)) {
    ++counters_->batches_refused;
    drop(b.flow_count());
    return fail(trouble::usage, "more was sent than credit allows");
  }
  if (const auto known = ledger_.of(number); known != batch_ledger::standing::unknown) {
    take_again(b, known, r);
    return {};
  }
  // Flows are reckoned at once as what they will take when they are held.
  const std::size_t takes = std::max(b.bytes(), b.flow_count() * held_flow_bytes);
  if (waiting_bytes_ + takes > settings_->max_waiting_bytes) {
    ++counters_->batches_refused;
    drop(b.flow_count());
    return fail(trouble::usage, "too many batches while clock pings stay unanswered");
  }
  counters_->evidence_received += b.evidence_count();
  waiting_flows_ += b.flow_count();
  waiting_evidence_ += b.evidence_count();
  waiting_.push_back({std::move(b), now, takes, pings_.next_id()});
  waiting_bytes_ += takes;
  // At once: many batches may come before credit is renewed.
  credit_.took(takes);
  place_what_can_be(r, now);
  ping_if_due(r, now);
  return {};
}

// No lie, but it tells of loss: the agent gave batches up before they came here, or another node had them.
void session_protocol::count_gap(std::uint64_t number) {
  if (highest_ != 0 && number > highest_ && number - highest_ > 1) ++counters_->batch_gaps;
  highest_ = std::max(highest_, number);
}

void session_protocol::drop(std::size_t flows) {
  counters_->flows_dropped += flows;
  flows_.dropped += flows;
}

// Its first copy was taken over an earlier connection, and is not to be written a second time.
void session_protocol::take_again(const wire::received_batch& b, batch_ledger::standing known,
                                  session_reaction& r) {
  ++counters_->batches_repeated;
  counters_->flows_repeated += b.flow_count();
  flows_.repeated += b.flow_count();
  if (known == batch_ledger::standing::durable) acknowledge(r, b.number());
}

void session_protocol::acknowledge(session_reaction& r, std::uint64_t batch) {
  ++counters_->batches_acknowledged;
  add_acknowledgement(r.send, batch);
}

void session_protocol::add_acknowledgement(std::vector<wire::message>& to, std::uint64_t batch) const {
  auto* const before = to.empty() ? nullptr : std::get_if<wire::acknowledgement>(&to.back());
  const bool follows = takes_runs_ && before != nullptr && before->last() + 1 == batch &&
                       batch - before->batch < wire::max_acknowledged_run;
  if (follows)
    before->through = batch;
  else
    to.emplace_back(wire::acknowledgement{batch});
}

outcome<void> session_protocol::bracket_with(const wire::pong& p, nanos at, nanos now, session_reaction& r) {
  const auto asked = pings_.answered(p.id);
  if (!asked) {
    ++counters_->brackets_refused;
    return {};
  }
  const bracket b{*asked, at, p.reading};
  if (!clock_.add(b)) {
    ++counters_->brackets_refused;
    return {};
  }
  ++counters_->brackets;
  bracketed_at_ = b.sent;
  latest_reading_ = std::max(latest_reading_, b.theirs);
  place_what_can_be(r, now);
  if (!waiting_.empty() && waiting_.front().first_ping_after <= p.id) {
    ++counters_->batches_refused;
    return fail(trouble::usage, "stamps that the agent's own clock had not reached when it sent them");
  }
  ping_if_due(r, now);
  return {};
}

void session_protocol::place_what_can_be(session_reaction& r, nanos now) {
  const auto can_be = [&] {
    return !waiting_.empty() && waiting_.front().batch.last_stamp() <= latest_reading_;
  };
  if (can_be()) {
    const clock_shift shift(clock_);
    for (; can_be(); waiting_.pop_front()) {
      const auto& first = waiting_.front();
      const std::size_t flows = first.batch.flow_count();
      placed_batch placed = placing_.place(first.batch, clock_, shift, now);
      waiting_bytes_ -= first.bytes;
      waiting_flows_ -= flows;
      waiting_evidence_ -= first.batch.evidence_count();
      // Counted before more credit is given, which is before lots are made of it.
      placed.taken = room_for_evidence(placed.items.size() * sizeof(evidence));
      count_gap(placed.number);
      if (ledger_.open(placed.number, flows)) acknowledge(r, placed.number);
      counters_->batch_runs_forgotten += ledger_.take_forgotten();
      r.placed.push_back(std::move(placed));
    }
  }
  if (r.refused_claim.empty()) r.refused_claim = placing_.refused_claim();
}

session_pings::waiting session_protocol::waits_for_clock() const {
  return waiting_.empty()         ? session_pings::waiting::nothing
         : waiting_evidence_ == 0 ? session_pings::waiting::flows
                                  : session_pings::waiting::evidence;
}

// One ping at a time: its answer tells whether another one is needed, so a burst of batches costs few. Of an
// agent that never stops, a ping takes as long as a dozen flows: after the first few, batches share one. Of
// ten thousand that send a batch now and then, it takes as long as the batch: those wait for it, not we for
// them.
void session_protocol::ping_if_due(session_reaction& r, nanos now) {
  pings_.look(now);
  if (const auto due = pings_.due(waits_for_clock()); due && *due <= now)
    r.send.push_back(ping(pings_.ask_due(now)));
  r.ask_at = pings_.next_look(waits_for_clock());
}

/// Acknowledgements have time: they go along with a ping that was promised, or with what is said anyway.
void session_protocol::say_acknowledged(session_reaction& r) {
  if (pings_.promised() && r.send.empty()) return;
  for (const auto& a : unsaid_) {
    counters_->batches_acknowledged += std::get<wire::acknowledgement>(a).count();
    r.send.push_back(a);
  }
  unsaid_.clear();
}

session_reaction session_protocol::promise_nothing(nanos now) {
  pings_.promise_nothing();
  return ask(now);
}

session_reaction session_protocol::ask(nanos now) {
  session_reaction r;
  ask(now, r);
  return r;
}

void session_protocol::ask(nanos now, session_reaction& r) {
  if (!connected_) return;
  ping_if_due(r, now);
  say_acknowledged(r);
}

outcome<session_reaction> session_protocol::tick(nanos now) {
  session_reaction r;
  if (!connected_) return r;
  if (!waiting_.empty() && now - waiting_.front().since > settings_->max_wait)
    return fail(trouble::usage, "no clock reading after the last stamp of a batch for too long");
  const auto unanswered = pings_.unanswered_since();
  if (unanswered && now - *unanswered > settings_->max_wait)
    return fail(trouble::usage, "clock pings unanswered for too long");
  const bool fresh = bracketed_at_ && now - *bracketed_at_ < still_fresh;
  if (!unanswered && !fresh && !pings_.promised()) r.send.push_back(ping(pings_.ask(now)));
  tell_settings(r);
  if (!r.send.empty()) say_acknowledged(r);
  return r;
}

void session_protocol::tell_settings(session_reaction& r) {
  if (!takes_settings_ || !settings_->agent_settings) return;
  const auto wanted = settings_->agent_settings->get();
  if (!wanted || wanted == told_settings_) return;
  told_settings_ = wanted;
  r.send.emplace_back(*wanted);
}

void session_protocol::durable(std::uint64_t batch, const answer_counts<std::uint32_t>& answers,
                               std::uint32_t forwarded) {
  std::size_t flows = forwarded;
  flows_.forwarded += forwarded;
  counters_->flows_forwarded += forwarded;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    flows += answers[i];
    flows_.answers[i] += answers[i];
  }
  if (ledger_.durable(batch, flows) && connected_) add_acknowledgement(unsaid_, batch);
  counters_->batch_runs_forgotten += ledger_.take_forgotten();
}

session_reaction session_protocol::renew_credit() {
  session_reaction r;
  renew_credit(r);
  return r;
}

session_reaction session_protocol::after_durable(nanos now) {
  session_reaction r;
  renew_credit(r);
  ask(now, r);
  return r;
}

void session_protocol::renew_credit(session_reaction& r) {
  const auto credit = credit_.renew(waiting_bytes_ + ledger_.open_flows() * held_flow_bytes,
                                    static_cast<std::size_t>(evidence_->used()));
  if (credit && connected_) r.send.emplace_back(wire::credit{*credit});
}

flow_ledger session_protocol::flows() const {
  flow_ledger f = flows_;
  f.held = waiting_flows_ + ledger_.open_flows();
  return f;
}

void session_protocol::disconnected() {
  sent_batches_ = false;
  connected_ = false;
  last_batch_ = 0;
  pings_.disconnected();
  unsaid_.clear();
  bracketed_at_.reset();
  for (const auto& w : waiting_) {
    ++counters_->batches_abandoned;
    drop(w.batch.flow_count());
  }
  waiting_.clear();
  waiting_bytes_ = 0;
  waiting_flows_ = 0;
  waiting_evidence_ = 0;
  credit_.disconnected();
  renew_credit();
}

}  // namespace tenure::actors
