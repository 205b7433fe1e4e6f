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
constexpr auto sync_interval = std::chrono::milliseconds{50};

bool give_up(pointer self, const failure& why) {
  ++self->state.counters->sink_failures;
  spdlog::error("sink: {}; nothing more is accepted, agents keep what is not confirmed", why.text);
  self->quit(caf::exit_reason::unhandled_exception);
  return false;
}

bool sync(pointer self) {
  auto& state = self->state;
  if (state.waiting.empty()) return true;
  if (auto done = state.out->make_durable(); !done) return give_up(self, done.error());
  for (auto& w : state.waiting)
    caf::anon_send(caf::actor_cast<session_actor>(w.origin.session), durable_atom_v, w.origin.batch, w.flows);
  state.waiting.clear();
  return true;
}

void write(pointer self, const resolved_lot& resolved) {
  auto& state = self->state;
  const flow_lot& lot = *resolved.lot;
  state.records.clear();
  state.records.reserve(lot.flows.size());
  for (std::size_t i = 0; i < lot.flows.size(); ++i)
    state.records.push_back({lot.flows[i], resolved.verdicts[i], *lot.origin.agent});
  const sinks::record_context context{*state.workloads, state.region, state.clock->to_utc()};
  if (auto done = state.out->append(state.records, context); !done) {
    give_up(self, done.error());
    return;
  }
  for (const auto& v : resolved.verdicts) state.counters->count(v);
  state.waiting.push_back({lot.origin, static_cast<std::uint32_t>(lot.flows.size())});
  if (state.timer_set) return;
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
