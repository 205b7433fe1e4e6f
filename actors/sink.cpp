#include "actors/sink.hpp"

#include <chrono>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

namespace tenure::actors {
namespace {

using pointer = sink_actor::stateful_pointer<sink_state>;

// A sync costs milliseconds however much it covers, so confirmations wait this long for company.
constexpr auto sync_interval = std::chrono::milliseconds{100};
constexpr std::size_t records_at_a_time = 64;

bool give_up(pointer self, const failure& why) {
  ++self->state.counters->sink_failures;
  spdlog::error("sink: {}; nothing more is accepted, agents keep what is not confirmed", why.text);
  self->quit(caf::exit_reason::unhandled_exception);
  return false;
}

bool sync(pointer self) {
  auto& state = self->state;
  if (state.unconfirmed.empty()) return true;
  if (auto done = state.out->make_durable(); !done) return give_up(self, done.error());
  for (auto& [origin, shares] : state.unconfirmed) {
    const auto session = caf::actor_cast<caf::strong_actor_ptr>(origin->session);
    if (session)  // or an intake, which takes the same message
      caf::anon_send(caf::actor_cast<session_actor>(session), durable_atom_v,
                     batch_shares_ptr{std::move(shares)});
  }
  state.unconfirmed.clear();
  state.place_of.clear();
  return true;
}

outcome<void> append_records(sink_state& state) {
  if (state.records.empty()) return {};
  const sinks::record_context context{*state.workloads, state.region, state.clock->to_utc()};
  auto done = state.out->append(state.records, context);
  state.records.clear();
  return done;
}

void confirm_later(sink_state& state, const due_lot::part& part,
                   const answer_counts<std::uint32_t>& answers) {
  if (answers == answer_counts<std::uint32_t>{}) return;
  const auto [at, is_new] = state.place_of.try_emplace(part.origin.get(), state.unconfirmed.size());
  if (is_new) state.unconfirmed.emplace_back(part.origin, std::make_shared<batch_shares>());
  state.unconfirmed[at->second].second->push_back({part.ticket, answers});
}

/// Records of a lot, taken out of their rows a few at a time, so that they never leave the processor's cache.
outcome<void> write_rows(sink_state& state, const resolved_lot& resolved) {
  const std::byte* at = resolved.lot->rows;
  const verdict* verdict = resolved.verdicts.data();
  state.records.reserve(records_at_a_time);
  for (const auto& part : resolved.lot->parts) {
    hold::row_cursor rows(part.base, at);
    at += part.bytes;
    answer_counts<std::uint32_t> answers{};
    for (std::uint32_t n = 0; n < part.flows; ++n, ++verdict) {
      auto& r = state.records.emplace_back();
      rows.next(r.flow);
      if (*verdict == waits_on) {
        state.records.pop_back();
        continue;
      }
      r.far = *verdict;
      r.agent = part.origin->agent;
      ++answers[static_cast<std::size_t>(verdict->reason)];
      if (state.records.size() < records_at_a_time) continue;
      if (auto done = append_records(state); !done) return done;
    }
    confirm_later(state, part, answers);
  }
  return append_records(state);
}

void write(pointer self, const resolved_lot& resolved) {
  auto& state = self->state;
  if (auto done = write_rows(state, resolved); !done) {
    give_up(self, done.error());
    return;
  }
  state.counters->count(resolved.verdicts);
  if (state.timer_set || state.unconfirmed.empty()) return;
  state.timer_set = true;
  self->delayed_send(self, sync_interval, sync_atom_v);
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
      [self](write_atom, const resolved_lot_ptr& lot) { write(self, *lot); },
      [self](sync_atom) {
        self->state.timer_set = false;
        sync(self);
      },
      [self](drain_atom) { return sync(self); },
  };
}

}  // namespace tenure::actors
