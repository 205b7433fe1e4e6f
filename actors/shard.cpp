#include "actors/shard.hpp"

#include <utility>

#include <caf/typed_event_based_actor.hpp>

namespace tenure::actors {

shard_actor::behavior_type shard(shard_actor::stateful_pointer<shard_state> self,
                                 std::shared_ptr<attributor> owners, sink_actor sink,
                                 std::shared_ptr<node_counters> counters) {
  auto& state = self->state;
  state.owners = std::move(owners);
  state.sink = std::move(sink);
  state.counters = std::move(counters);
  return {
      [self](evidence_atom, const evidence_lot_ptr& lot) {
        auto& count = *self->state.counters;
        for (const auto& e : lot->items) {
          const auto merged = self->state.owners->merge(e);
          if (merged == attributor::merged::changed) ++count.evidence_merged;
          if (merged == attributor::merged::refused) ++count.evidence_refused;
        }
      },
      [self](resolve_atom, const flow_lot_ptr& lot) {
        auto resolved = std::make_shared<resolved_lot>();
        resolved->lot = lot;
        resolved->verdicts.reserve(lot->flows.size());
        for (const auto& f : lot->flows)
          resolved->verdicts.push_back(self->state.owners->attribute(f.far_address, f.far_port, f.times));
        self->send(self->state.sink, write_atom_v, resolved_lot_ptr{std::move(resolved)});
      },
      [](drain_atom) { return true; },
  };
}

}  // namespace tenure::actors
