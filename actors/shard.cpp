#include "actors/shard.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>
#include <vector>

#include <caf/typed_event_based_actor.hpp>

#include "actors/lot_split.hpp"

namespace tenure::actors {
namespace {

using pointer = shard_actor::stateful_pointer<shard_state>;

constexpr auto forget_interval = std::chrono::minutes{1};

/// Brings the node's gauges up to date.
void gauge(shard_state& state) {
  const auto& known = state.owners->timelines();
  const auto report = [](node_counters::counter& gauge, std::size_t& reported, std::size_t now) {
    gauge += now - reported;  // modulo 2^64: it goes down as well
    reported = now;
  };
  report(state.counters->addresses, state.addresses, known.addresses());
  report(state.counters->tenancies, state.tenancies, known.tenancies());
  report(state.counters->timeline_bytes, state.bytes, known.bytes());
}

void merge(pointer self, const std::vector<evidence>& items) {
  auto& state = self->state;
  std::vector<merged> results(items.size());
  state.owners->merge_all(items, results);
  const auto add = [&](node_counters::counter& counter, merged what) {
    const auto n = std::count(results.begin(), results.end(), what);
    if (n > 0) counter += static_cast<std::uint64_t>(n);
  };
  add(state.counters->evidence_merged, merged::changed);
  add(state.counters->evidence_refused, merged::refused);
  add(state.counters->evidence_too_old, merged::too_old);
  add(state.counters->evidence_no_room, merged::no_room);
  gauge(state);
  if (std::exchange(state.timer_set, true)) return;
  self->delayed_send(self, forget_interval, forget_atom_v);
}

void forget(pointer self) {
  auto& state = self->state;
  const auto cutoff = due_cutoff(state.owners->timelines(), state.kept, state.clock->now(), state.forgotten);
  if (cutoff) {
    state.counters->tenancies_forgotten += state.owners->forget_before(*cutoff);
    state.forgotten = *cutoff;
    gauge(state);
  }
  state.timer_set = state.tenancies > 0;  // with nothing left, the next evidence sets it again
  if (state.timer_set) self->delayed_send(self, forget_interval, forget_atom_v);
}

/// Whether evidence that is still to come could name the far end.
bool lacks_evidence_only(const verdict& v, const question& q) {
  if (v.attributed() || q.times.error == unknown_error) return false;
  return v.reason != reason::conflict && v.reason != reason::external && v.reason != reason::local;
}

/// Asks a lot's questions, so many at a time that they and their answers stay in the processor's near caches.
class lot_asking {
 public:
  lot_asking(shard_state& state, const due_lot& lot)
      : state_(state), lot_(lot), now_(state.clock->now()), at_(lot.rows), next_part_(lot.parts.begin()) {
    verdicts_.reserve(lot.flows);
    if (!lot.last) state.stays.assign(lot.flows, false);
  }

  /// @returns the answers; the state's `stays` has who waits on, where that may be
  std::vector<verdict> ask() {
    for (std::size_t done = 0; done < lot_.flows; done += state_.questions.size()) {
      take(std::min<std::size_t>(at_a_time, lot_.flows - done));
      verdicts_.resize(done + state_.questions.size());
      const auto answers = std::span(verdicts_).subspan(done);
      state_.owners->attribute_all(state_.questions, answers);
      note(answers, done);
    }
    state_.counters->flows_asked += lot_.flows;
    state_.counters->close_to_output.add(delays_);
    return std::move(verdicts_);
  }

 private:
  static constexpr std::size_t at_a_time = 256;
  // Rows lie where they were put a minute ago.
  static constexpr std::ptrdiff_t ahead = 1'024;

  void take(std::size_t count) {
    state_.questions.resize(count);
    for (auto& q : state_.questions) {
      while (in_part_ == 0) begin_part();
      __builtin_prefetch(rows_.at() + ahead);
      rows_.next(q);
      --in_part_;
    }
  }
  void begin_part() {
    part_ = *next_part_;
    ++next_part_;
    rows_ = {part_.base, at_};
    at_ += part_.bytes;
    in_part_ = part_.flows;
  }
  /// Who waits on; how late what goes to the output is.
  void note(std::span<const verdict> answers, std::size_t first) {
    for (std::size_t i = 0; i < answers.size(); ++i) {
      const auto& q = state_.questions[i];
      if (!lot_.last && lacks_evidence_only(answers[i], q))
        state_.stays[first + i] = true;
      else if (q.times.error != unknown_error)  // else nobody knows when it closed
        delays_.add(saturating_sub(now_, q.times.closed));
    }
  }

  shard_state& state_;
  const due_lot& lot_;
  nanos now_;
  output_delays::count delays_;
  std::vector<verdict> verdicts_;
  const std::byte* at_;
  lot_parts::iterator next_part_;
  lot_part part_;
  std::uint32_t in_part_ = 0;  // rows of it that are left
  hold::row_cursor rows_{part_.base, nullptr};
};

/// Of a lot that may wait on, what is answered goes to the sink, what only lacks evidence back to wait.
void resolve(pointer self, const due_lot_ptr& lot) {
  auto& state = self->state;
  auto verdicts = lot_asking(state, *lot).ask();
  if (lot->last) {
    self->send(state.sink, write_atom_v,
               resolved_lot_ptr{std::make_shared<resolved_lot>(resolved_lot{lot, std::move(verdicts)})});
    return;
  }
  auto parts = split(lot, std::move(verdicts), state.stays);
  if (parts.stays)
    self->send(caf::actor_cast<delay_actor>(self->current_sender()), hold_atom_v,
               due_lot_ptr{std::move(parts.stays)}, state.owners->timelines().heartbeat());
  if (parts.goes) self->send(state.sink, write_atom_v, resolved_lot_ptr{std::move(parts.goes)});
}

/// A chunk goes to the peer actor that asks for it.
void send_chunk(pointer self, std::uint32_t to, std::uint64_t request) {
  auto& moving = self->state.moving;
  const auto found = moving.find(to);
  if (found == moving.end() || found->second.request != request) return;
  auto chunk = std::make_shared<moving_chunk>();
  chunk->request = request;
  chunk->shard = found->second.shard;
  chunk->items = found->second.walk.next(self->state.owners->timelines());
  chunk->last = found->second.walk.over();
  if (chunk->last) moving.erase(found);
  self->send(caf::actor_cast<peer_actor>(self->current_sender()), hand_atom_v,
             moving_chunk_ptr{std::move(chunk)});
}

}  // namespace

shard_actor::behavior_type shard(pointer self, std::shared_ptr<attributor> owners, retention kept,
                                 std::shared_ptr<const node_clock> clock, sink_actor sink,
                                 std::shared_ptr<node_counters> counters) {
  auto& state = self->state;
  state.owners = std::move(owners);
  state.kept = kept;
  state.clock = std::move(clock);
  state.sink = std::move(sink);
  state.counters = std::move(counters);
  return {
      [self](evidence_atom, const evidence_lot_ptr& lot) {
        const auto measured = self->state.counters->stages.measure(stage::merge, *self->state.clock);
        merge(self, lot->items);
        self->state.counters->evidence_waiting -= lot->items.size();
      },
      [self](resolve_atom, const due_lot_ptr& lot) {
        const auto measured = self->state.counters->stages.measure(stage::resolve, *self->state.clock);
        resolve(self, lot);
      },
      [self](hand_atom, const moving_request_ptr& request, std::uint32_t number) {
        auto& s = self->state;
        s.moving.insert_or_assign(
            request->to,
            shard_state::moving_part{request->number, number, {s.owners->timelines(), request->points}});
        send_chunk(self, request->to, request->number);
      },
      [self](more_atom, std::uint32_t to, std::uint64_t request) { send_chunk(self, to, request); },
      [self](forget_atom) { forget(self); },
      [](drain_atom) { return true; },
  };
}

}  // namespace tenure::actors
