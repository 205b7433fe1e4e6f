#include "actors/exporter_batches.hpp"

#include <utility>

#include "capnp/codec.hpp"

namespace tenure::actors {

void refresh_gauges(exporter_state& s) {
  auto& c = *s.counters;
  c.batches_retained = s.retained->batches();
  c.flows_retained = s.retained->flows();
  c.bytes_retained = s.retained->bytes();
  c.bytes_spooled = s.retained->spooled_bytes();
  c.spool_failures = s.retained->spool_failures();
  c.batches_dropped = s.retained->batches_dropped();
  c.flows_dropped = s.retained->flows_dropped();
}

std::uint64_t seal(exporter_pointer self) {
  auto& s = self->state;
  if (s.gathering->empty()) return 0;
  const std::size_t connections = s.gathering->connections();
  wire::batch sealed = s.gathering->seal();
  s.counters->flows_joined += connections - sealed.flows.size();
  const std::uint64_t number = sealed.number;
  auto frame = s.packs ? wire::encode_packed(sealed) : wire::encode(wire::message{std::move(sealed)});
  s.retained->keep(number, std::move(frame), connections);
  send_batches(self, number);
  ++s.counters->batches_sealed;
  refresh_gauges(s);
  return number;
}

}  // namespace tenure::actors
