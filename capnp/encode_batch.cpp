#include "capnp/encode_batch.hpp"

#include <algorithm>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "capnp/made_batch.hpp"
#include "capnp/tenancy_places.hpp"
#include "ownership/invariant.hpp"

namespace tenure::wire {

namespace {

std::size_t count_dialled(const batch& b) {
  return static_cast<std::size_t>(
      std::ranges::count_if(b.flows, [](const flow& f) { return f.dialled.port != 0; }));
}

template <class Group>
void put(Group out, const address& a) {
  out.setHigh(a.high());
  out.setLow(a.low());
}

void put(schema::Workload::Builder out, const workload& w) {
  out.setName(text(w.name));
  auto labels = out.initLabels(static_cast<unsigned>(w.labels.size()));
  unsigned i = 0;
  for (const auto& [key, value] : w.labels) {
    auto label = labels[i++];
    label.setKey(text(key));
    label.setValue(text(value));
  }
}

void put(schema::Tenancy::Builder out, const tenancy_entry& t) {
  invariant(t.workload != workload_id::none, "a tenancy has a workload");
  out.setSequence(t.id.sequence);
  out.setWorkload(static_cast<std::uint32_t>(t.workload) - 1);
  out.setPort(t.endpoint.port);
  put(out.getAddress(), t.endpoint.address);
}

void put(schema::Evidence::Builder out, const evidence& e, const tenancy_places& places) {
  out.setTenancy(places.at(e.tenancy));
  out.setFrom(e.from);
  out.setUntil(e.until);
  out.setFromError(e.from_error);
  out.setUntilError(e.until_error);
}

void put(schema::Flow::Builder out, const flow_times& t) {
  out.setOpenedAt(t.opened);
  out.setEstablishedAt(t.established);
  out.setLastReceivedAt(t.last_received);
  out.setClosedAt(t.closed);
  out.setTransit(t.transit);
  out.setError(t.error);
  out.setEstablished(t.is_established);
}

void put(schema::Flow::Builder out, const flow_counters& c) {
  out.setBytesSent(c.bytes_sent);
  out.setBytesReceived(c.bytes_received);
  out.setSegmentsSent(c.segments_sent);
  out.setSegmentsReceived(c.segments_received);
  out.setRetransmits(c.retransmits);
  out.setSrttUs(c.srtt_us);
  out.setMinRttUs(c.min_rtt_us);
  out.setConnectUs(c.connect_us);
}

void put(schema::Flow::Builder out, const flow& f, const tenancy_places& places) {
  out.setConnection(f.connection);
  out.setPart(f.part);
  if (f.near_tenancy.none())
    out.setNearWorkload(static_cast<std::uint32_t>(f.near_workload));
  else
    out.setNearTenancy(1 + places.at(f.near_tenancy));
  auto near = out.getNear();
  put(near, f.near_address);
  near.setPort(f.near_port);
  near.setInitialSequence(f.near_initial_sequence);
  auto far = out.getFar();
  put(far, f.far_address);
  far.setPort(f.far_port);
  far.setInitialSequence(f.far_initial_sequence);
  out.setReporter(f.reporter == reporter::source ? schema::Reporter::SOURCE : schema::Reporter::DESTINATION);
  out.setTransport(static_cast<std::uint8_t>(f.transport));
  out.setEndReason(static_cast<std::uint8_t>(f.end));
  out.setConnectErrno(f.connect_errno);
  out.setConnections(f.connections);
  put(out, f.times);
  put(out, f.counters);
}

void put_dialled(schema::Batch::Builder out, const std::vector<flow>& flows, std::size_t many) {
  auto dialled = out.initDialled(static_cast<unsigned>(many));
  unsigned next = 0;
  for (unsigned i = 0; i < flows.size(); ++i) {
    const auto& where = flows[i].dialled;
    if (where.port == 0) continue;
    auto entry = dialled[next++];
    entry.setFlow(i);
    entry.setPort(where.port);
    put(entry.getAddress(), where.address);
  }
}

/// What a call of encode_made is about.
struct making {
  const batch& tables;
  std::uint32_t flows;
  flow_maker make;
  void* context;
};

void put_made(schema::Batch::Builder out, const making& m) {
  const tenancy_places places(m.tables.tenancies);
  put_tables(out, m.tables, m.tables.tenancies, places);
  auto flows = out.initFlows(m.flows);
  flow f;
  for (std::uint32_t i = 0; i < m.flows; ++i) {
    m.make(m.context, i, f);
    invariant(f.dialled.port == 0, "what a made flow dialled is not written");
    put(flows[i], f, places);
  }
}

}  // namespace

std::size_t table_words(const batch& b) {
  auto words = capnp::sizeInWords<schema::Batch>() + list_words<schema::Workload>(b.workloads.size()) +
               list_words<schema::Tenancy>(b.tenancies.size()) +
               list_words<schema::Evidence>(b.evidence.size());
  for (const auto& w : b.workloads) {
    words += text_words(w.name) + list_words<schema::Label>(w.labels.size());
    for (const auto& [key, value] : w.labels) words += text_words(key) + text_words(value);
  }
  return words;
}

std::size_t batch_words(const batch& b) {
  return table_words(b) + list_words<schema::Flow>(b.flows.size()) +
         list_words<schema::Dialled>(count_dialled(b));
}

void put_tables(schema::Batch::Builder out, const batch& b, const std::vector<tenancy_entry>& told,
                const tenancy_places& places) {
  out.setNumber(b.number);
  auto workloads = out.initWorkloads(static_cast<unsigned>(b.workloads.size()));
  for (unsigned i = 0; i < workloads.size(); ++i) put(workloads[i], b.workloads[i]);
  auto tenancies = out.initTenancies(static_cast<unsigned>(told.size()));
  for (unsigned i = 0; i < tenancies.size(); ++i) put(tenancies[i], told[i]);
  auto evidence = out.initEvidence(static_cast<unsigned>(b.evidence.size()));
  for (unsigned i = 0; i < evidence.size(); ++i) put(evidence[i], b.evidence[i], places);
}

void put_batch(schema::Batch::Builder out, const batch& b) {
  const tenancy_places places(b.tenancies);
  put_tables(out, b, b.tenancies, places);
  auto flows = out.initFlows(static_cast<unsigned>(b.flows.size()));
  for (unsigned i = 0; i < flows.size(); ++i) put(flows[i], b.flows[i], places);
  if (const auto many = count_dialled(b); many > 0) put_dialled(out, b.flows, many);
}

frame build_frame(std::size_t room, void (*fill)(const void* context, schema::Message::Builder root),
                  const void* context) {
  // The message is built in place as one segment behind its two-number table: one word, no copy. Room is
  // reckoned from above, so the builder never asks for more.
  room += 1 + capnp::sizeInWords<schema::Message>();  // the root and the pointer to it
  frame out(1 + room, 0);                             // which the builder takes for granted
  capnp::FlatMessageBuilder builder(
      kj::arrayPtr(reinterpret_cast<capnp::word*>(out.data() + 1), room));  // NOLINT: words are words
  fill(context, builder.initRoot<schema::Message>());
  auto used = builder.getSegmentsForOutput()[0].size();
  // The segment table in little endian: number of segments less one, then the size of the first in words.
  out[0] = static_cast<std::uint64_t>(used) << 32;
  out.resize(1 + used);
  invariant(out.size() * sizeof(out[0]) <= max_frame_bytes, "what makes batches seals them below this");
  return out;
}

frame encode_made(bool packed, const batch& tables, std::uint32_t flows, flow_maker make, void* context) {
  if (packed) return pack_made(tables, tables.tenancies, flows, make, context);
  const making m{tables, flows, make, context};
  return build_frame(
      batch_words(tables) + list_words<schema::Flow>(flows),
      [](const void* what, schema::Message::Builder root) {
        put_made(root.initBatch(), *static_cast<const making*>(what));
      },
      &m);
}

}  // namespace tenure::wire
