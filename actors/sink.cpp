#include "actors/sink.hpp"

#include <chrono>
#include <iterator>
#include <span>
#include <string>
#include <thread>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

namespace tenure::actors {
namespace {

using pointer = sink_actor::stateful_pointer<sink_state>;

// A sync costs milliseconds however much it covers, so confirmations wait this long for company.
constexpr auto sync_interval = std::chrono::milliseconds{250};

void answer_drains(sink_state& state, std::uint64_t up_to, bool durable) {
  std::erase_if(state.drains, [&](auto& asked) {
    if (asked.first > up_to) return false;
    asked.second.deliver(durable);
    return true;
  });
}

bool give_up(pointer self, const failure& why) {
  answer_drains(self->state, self->state.came, false);
  ++self->state.counters->sink_failures;
  spdlog::error("sink: {}; nothing more is accepted, agents keep what is not confirmed", why.text);
  self->quit(caf::exit_reason::unhandled_exception);
  return false;
}

void confirm(sink_state& state) {
  for (auto& [origin, shares] : state.in_sync) {
    const auto session = caf::actor_cast<caf::strong_actor_ptr>(origin->session);
    if (session)  // or an intake, which takes the same message
      caf::anon_send(caf::actor_cast<session_actor>(session), durable_atom_v,
                     batch_shares_ptr{std::move(shares)});
  }
  state.in_sync.clear();
}

/// Says when the output fills up, and when there is room again.
void note_full(sink_state& state) {
  state.counters->sink_unwritten = state.out->unwritten();
  const std::uint64_t full = state.out->full() ? 1 : 0;
  if (state.counters->sink_full.exchange(full) == full) return;
  if (full == 0) {
    spdlog::info("sink: there is room again");
    return;
  }
  ++state.counters->sink_fillings;
  spdlog::warn("sink: the output is full; nothing is lost: agents wait with what they have. Make room");
}

/// What of a batch is now written, to be confirmed. Parts of one agent mostly come in a row.
void confirm_later(sink_state& state, const lot_part& part, const answer_counts<std::uint32_t>& answers) {
  if (state.unconfirmed.empty() || state.unconfirmed[state.latest].first != *part.origin) {
    const auto [at, is_new] = state.place_of.try_emplace(part.origin->get(), state.unconfirmed.size());
    if (is_new) state.unconfirmed.emplace_back(*part.origin, std::make_shared<batch_shares>());
    state.latest = at->second;
  }
  state.unconfirmed[state.latest].second->push_back({part.ticket, answers});
}

outcome<void> write_rows(sink_state& state, const resolved_lot& resolved) {
  const auto measured = state.counters->stages.measure(stage::encode, *state.clock);
  const sinks::record_context context{*state.workloads, state.region, state.clock->to_utc()};
  const std::byte* at = resolved.lot->rows;
  std::span<const verdict> verdicts = resolved.verdicts;
  answer_counts<std::uint64_t> all{};
  for (const auto& part : resolved.lot->parts) {
    const sinks::record_rows rows{
        part.base, {at, part.bytes}, verdicts.first(part.flows), (*part.origin)->agent};
    at += part.bytes;
    verdicts = verdicts.subspan(part.flows);
    if (auto done = state.out->append_rows(rows, context); !done) return done;
    answer_counts<std::uint32_t> answers{};
    for (const auto& v : rows.answers) ++answers[static_cast<std::size_t>(v.reason)];
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += answers[i];
    confirm_later(state, part, answers);
  }
  state.counters->flows_released -= resolved.lot->flows;
  state.counters->count(all);
  return {};
}

bool all_is_durable(const sink_state& state) {
  return state.in_sync.empty() && state.unconfirmed.empty() && state.waiting.empty();
}

void sync_later(pointer self) {
  auto& state = self->state;
  if (state.syncing || all_is_durable(state)) return;
  if (!std::exchange(state.timer_set, true)) self->delayed_send(self, sync_interval, sync_atom_v);
}

/// Tells the sink of its sync's end. An output that writes on a thread of its own calls it there, and what
/// that thread has taken since the last time is what writing took.
sinks::settled teller(pointer self) {
  auto& state = self->state;
  return [to = caf::actor_cast<caf::actor_addr>(self), counters = state.counters, clock = state.clock,
          before = state.writers_cpu, here = std::this_thread::get_id()](const outcome<bool>& how) {
    if (std::this_thread::get_id() != here) {
      const nanos now = clock->thread_cpu();
      counters->stages.add(stage::write, now - std::exchange(*before, now));
    }
    if (const auto sink = caf::actor_cast<caf::strong_actor_ptr>(to))
      caf::anon_send(caf::actor_cast<sink_actor>(sink), durable_atom_v, how.value_or(false),
                     how ? std::string() : how.error().text);
  };
}

void begin_sync(pointer self) {
  auto& state = self->state;
  if (state.syncing || all_is_durable(state)) return;
  state.syncing = true;
  state.sync_began = state.clock->now();
  state.in_sync_up_to = state.came - state.waiting.size();
  std::move(state.unconfirmed.begin(), state.unconfirmed.end(), std::back_inserter(state.in_sync));
  state.unconfirmed.clear();
  state.place_of.clear();
  const auto measured = state.counters->stages.measure(stage::write, *state.clock);
  state.out->make_durable_then(teller(self));
}

bool write(pointer self, const resolved_lot& resolved) {
  auto& state = self->state;
  if (auto done = write_rows(state, resolved); !done) return give_up(self, done.error());
  note_full(state);
  return true;
}

/// @returns false after a failure
bool write_waiting(pointer self) {
  auto& state = self->state;
  while (!state.waiting.empty() && !state.out->full() && !state.out->busy()) {
    if (!write(self, *state.waiting.front())) return false;
    state.waiting.pop_front();
  }
  return true;
}

/// Sees to it that what was written, or waits, becomes durable.
void go_on(pointer self) {
  auto& state = self->state;
  if (!write_waiting(self)) return;
  if (all_is_durable(state)) state.durable_up_to = state.came;
  answer_drains(state, state.durable_up_to, true);
  // A busy output takes more when a sync has ended; a full one when it has room, which only time brings.
  const bool at_once = !state.drains.empty() || (!state.waiting.empty() && !state.out->full());
  if (at_once)
    begin_sync(self);
  else
    sync_later(self);
}

void sync_ended(pointer self, bool durable, const std::string& why) {
  auto& state = self->state;
  state.syncing = false;
  state.counters->output_syncs.add(state.clock->now() - state.sync_began);
  if (!why.empty()) return static_cast<void>(give_up(self, {trouble::refused, why}));
  note_full(state);
  if (durable) {
    confirm(state);
    state.durable_up_to = state.in_sync_up_to;
  }
  if (state.out->full()) answer_drains(state, state.came, false);
  go_on(self);
}

}  // namespace

sink_actor::behavior_type sink(pointer self, std::shared_ptr<sinks::record_sink> out, sink_settings settings,
                               std::shared_ptr<node_counters> counters) {
  auto& state = self->state;
  state.out = std::move(out);
  state.workloads = std::move(settings.workloads);
  state.clock = std::move(settings.clock);
  state.region = std::move(settings.region);
  state.counters = std::move(counters);
  return {
      [self](write_atom, const resolved_lot_ptr& lot) {
        ++self->state.came;
        self->state.waiting.push_back(lot);
        go_on(self);
      },
      [self](sync_atom) {
        self->state.timer_set = false;
        begin_sync(self);
      },
      [self](durable_atom, bool durable, const std::string& why) { sync_ended(self, durable, why); },
      [self](drain_atom) {
        const auto asked = self->make_response_promise<bool>();
        self->state.drains.emplace_back(self->state.came, asked);
        go_on(self);
        return asked;
      },
  };
}

}  // namespace tenure::actors
