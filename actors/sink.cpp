#include "actors/sink.hpp"

#include <chrono>
#include <span>
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

bool give_up(pointer self, const failure& why) {
  ++self->state.counters->sink_failures;
  spdlog::error("sink: {}; nothing more is accepted, agents keep what is not confirmed", why.text);
  self->quit(caf::exit_reason::unhandled_exception);
  return false;
}

void confirm(sink_state& state) {
  for (auto& [origin, shares] : state.unconfirmed) {
    const auto session = caf::actor_cast<caf::strong_actor_ptr>(origin->session);
    if (session)  // or an intake, which takes the same message
      caf::anon_send(caf::actor_cast<session_actor>(session), durable_atom_v,
                     batch_shares_ptr{std::move(shares)});
  }
  state.unconfirmed.clear();
  state.place_of.clear();
}

/// Says when the output fills up, and when there is room again.
void note_full(sink_state& state) {
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

void sync_later(pointer self) {
  auto& state = self->state;
  if (state.unconfirmed.empty() && state.waiting.empty()) return;
  if (!std::exchange(state.timer_set, true)) self->delayed_send(self, sync_interval, sync_atom_v);
}

bool write(pointer self, const resolved_lot& resolved) {
  auto& state = self->state;
  if (auto done = write_rows(state, resolved); !done) return give_up(self, done.error());
  note_full(state);
  return true;
}

void take(pointer self, const resolved_lot_ptr& lot) {
  auto& state = self->state;
  if (state.out->full() || !state.waiting.empty())
    state.waiting.push_back(lot);
  else if (!write(self, *lot))
    return;
  sync_later(self);
}

/// @returns whether everything that came is durable
bool sync(pointer self) {
  auto& state = self->state;
  while (!state.unconfirmed.empty() || !state.waiting.empty()) {
    {
      const auto measured = state.counters->stages.measure(stage::write, *state.clock);
      if (auto done = state.out->make_durable(); !done) return give_up(self, done.error());
    }
    note_full(state);
    if (state.out->full()) return false;
    confirm(state);
    while (!state.waiting.empty() && !state.out->full()) {
      if (!write(self, *state.waiting.front())) return false;
      state.waiting.pop_front();
    }
  }
  return true;
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
      [self](write_atom, const resolved_lot_ptr& lot) { take(self, lot); },
      [self](sync_atom) {
        self->state.timer_set = false;
        sync(self);
        sync_later(self);
      },
      [self](drain_atom) { return sync(self); },
  };
}

}  // namespace tenure::actors
