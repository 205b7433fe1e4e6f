#include "capnp/decode_batch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "capnp/flat_flows.hpp"

namespace tenure::wire {

namespace {

template <class Group>
address read_address(Group in) {
  return address::from_halves(in.getHigh(), in.getLow());
}

complaint too_many(std::string_view what, std::size_t count, std::size_t bound) {
  if (count <= bound) return {};
  return fmt::format("{} {}, at most {} are allowed", count, what, bound);
}

complaint read_labels(capnp::List<schema::Label>::Reader in, workload& out) {
  if (auto c = too_many("labels of a workload", in.size(), max_workload_labels)) return c;
  out.labels.reserve(in.size());
  for (auto label : in) {
    auto& [key, value] = out.labels.emplace_back();
    if (auto c = read_text(label.getKey(), key)) return c;
    if (auto c = read_text(label.getValue(), value)) return c;
  }
  return {};
}

complaint read_workloads(capnp::List<schema::Workload>::Reader in, batch& out) {
  if (auto c = too_many("workloads", in.size(), max_batch_workloads)) return c;
  out.workloads.reserve(in.size());
  for (auto item : in) {
    auto& w = out.workloads.emplace_back();
    if (auto c = read_text(item.getName(), w.name)) return c;
    if (w.name.empty()) return "a workload without a name";
    if (auto c = read_labels(item.getLabels(), w)) return c;
  }
  return {};
}

complaint read_tenancies(capnp::List<schema::Tenancy>::Reader in, std::uint64_t incarnation, batch& out) {
  if (auto c = too_many("tenancies", in.size(), max_batch_tenancies)) return c;
  out.tenancies.reserve(in.size());
  for (auto item : in) {
    if (item.getSequence() == 0) return "a tenancy with sequence 0";
    if (item.getWorkload() >= out.workloads.size()) return "a tenancy of a workload that is not in the batch";
    out.tenancies.push_back({{incarnation, item.getSequence()},
                             {read_address(item.getAddress()), item.getPort()},
                             workload_id{item.getWorkload() + 1}});
  }
  return {};
}

complaint read_evidence(capnp::List<schema::Evidence>::Reader in, batch& out) {
  if (auto c = too_many("evidences", in.size(), max_batch_evidence)) return c;
  out.evidence.reserve(in.size());
  for (auto item : in) {
    if (item.getTenancy() >= out.tenancies.size()) return "evidence of a tenancy that is not in the batch";
    if (item.getFromError() < 0 || item.getUntilError() < 0) return "evidence with a negative error";
    const auto& tenancy = out.tenancies[item.getTenancy()];
    out.evidence.push_back({tenancy.endpoint, tenancy.id, tenancy.workload, item.getFrom(), item.getUntil(),
                            item.getFromError(), item.getUntilError()});
  }
  return {};
}

/// Enumerations and signs.
template <class Flow>
const char* wrong_in(const Flow& in) {
  auto transport = in.getTransport();
  if (transport != static_cast<std::uint8_t>(transport_protocol::tcp) &&
      transport != static_cast<std::uint8_t>(transport_protocol::udp)) {
    return "a flow of a transport that is neither TCP nor UDP";
  }
  if (in.getEndReason() < static_cast<std::uint8_t>(end_reason::idle_timeout) ||
      in.getEndReason() > static_cast<std::uint8_t>(end_reason::lack_of_resources)) {
    return "a flow with an unknown end reason";
  }
  auto reporter = in.getReporter();
  if (reporter != schema::Reporter::SOURCE && reporter != schema::Reporter::DESTINATION) {
    return "a flow with an unknown reporter";
  }
  if (in.getTransit() < 0) return "a flow with a negative transit";
  if (in.getError() < 0) return "a flow with a negative error";
  if (in.getConnections() > 1 && in.getEstablished()) return "several connections with one handshake";
  return nullptr;
}

template <class Flow>
void read_times(const Flow& in, flow_times& out) {
  out.opened = in.getOpenedAt();
  out.established = in.getEstablishedAt();
  out.last_received = in.getLastReceivedAt();
  out.closed = in.getClosedAt();
  out.transit = in.getTransit();
  out.error = in.getError();
  out.is_established = in.getEstablished();
}

template <class Flow>
void read_counters(const Flow& in, flow_counters& out) {
  out.bytes_sent = in.getBytesSent();
  out.bytes_received = in.getBytesReceived();
  out.segments_sent = in.getSegmentsSent();
  out.segments_received = in.getSegmentsReceived();
  out.retransmits = in.getRetransmits();
  out.srtt_us = in.getSrttUs();
  out.min_rtt_us = in.getMinRttUs();
  out.connect_us = in.getConnectUs();
}

/// @param index of a flow
endpoint dialled_of(const batch& tables, std::uint32_t index) {
  if (tables.dialled.empty()) return {};
  const auto at = std::ranges::lower_bound(tables.dialled, index, {}, &dialled_entry::flow);
  return at != tables.dialled.end() && at->flow == index ? at->dialled : endpoint{};
}

template <class Flow>
void read_flow(const Flow& in, std::uint64_t incarnation, std::uint32_t index, const batch& tables,
               flow& out) {
  out.id = {incarnation, tables.number, index};
  out.connection = in.getConnection();
  out.part = in.getPart();
  out.reporter = in.getReporter() == schema::Reporter::SOURCE ? reporter::source : reporter::destination;
  out.transport = transport_protocol{in.getTransport()};
  out.end = end_reason{in.getEndReason()};
  auto near = in.getNear();
  out.near_address = read_address(near);
  out.near_port = near.getPort();
  out.near_initial_sequence = near.getInitialSequence();
  auto far = in.getFar();
  out.far_address = read_address(far);
  out.far_port = far.getPort();
  out.far_initial_sequence = far.getInitialSequence();
  out.connect_errno = in.getConnectErrno();
  out.connections = std::max<std::uint32_t>(in.getConnections(), 1);
  read_times(in, out.times);
  read_counters(in, out.counters);
  const auto tenancy = in.getNearTenancy();
  out.near_tenancy = tenancy == 0 ? tenancy_id{} : tables.tenancies[tenancy - 1].id;
  out.near_workload =
      tenancy == 0 ? workload_id{in.getNearWorkload()} : tables.tenancies[tenancy - 1].workload;
  out.dialled = dialled_of(tables, index);
}

complaint read_dialled(schema::Batch::Reader in, batch& out) {
  const auto list = in.getDialled();
  if (auto c = too_many("dialled addresses", list.size(), max_batch_flows)) return c;
  out.dialled.reserve(list.size());
  for (const auto entry : list) {
    const auto flow = entry.getFlow();
    if (!out.dialled.empty() && flow <= out.dialled.back().flow) return "dialled addresses out of order";
    if (entry.getPort() == 0) return "a dialled address without a port";
    out.dialled.push_back({flow, {read_address(entry.getAddress()), entry.getPort()}});
  }
  return {};
}

}  // namespace

complaint check_flows(capnp::List<schema::Flow>::Reader in, const batch& tables, nanos& last_stamp) {
  if (auto c = too_many("flows", in.size(), max_batch_flows)) return c;
  if (!tables.dialled.empty() && tables.dialled.back().flow >= in.size())
    return "a dialled address of a flow that is not in the batch";
  const char* wrong = nullptr;
  nanos last = last_stamp;
  each_flow(in, [&](const auto& f, unsigned) {
    wrong = wrong_in(f);
    if (wrong == nullptr && f.getNearTenancy() > tables.tenancies.size())
      wrong = "a flow whose near tenancy is not in the batch";
    if (wrong == nullptr && f.getNearWorkload() > tables.workloads.size())
      wrong = "a flow whose near workload is not in the batch";
    last = std::max({last, f.getOpenedAt(), f.getEstablishedAt(), f.getLastReceivedAt(), f.getClosedAt()});
    return wrong == nullptr;
  });
  if (wrong != nullptr) return wrong;
  last_stamp = last;
  return {};
}

void read_flows(capnp::List<schema::Flow>::Reader in, std::uint64_t incarnation, const batch& tables,
                flow_visitor visit, void* context) {
  flow f;
  each_flow(in, [&](const auto& item, unsigned index) {
    read_flow(item, incarnation, index, tables, f);
    visit(context, f);
    return true;
  });
}

void read_flat_flows(const flat_list& in, std::size_t count, std::uint64_t incarnation, const batch& tables,
                     flow_visitor visit, void* context) {
  flow f;
  const std::byte* at = in.first;
  for (std::size_t i = 0; i < count; ++i, at += in.apart) {
    read_flow(flat_flow(at), incarnation, static_cast<std::uint32_t>(i), tables, f);
    visit(context, f);
  }
}

complaint read_tables(schema::Batch::Reader in, std::uint64_t incarnation, batch& out) {
  out.number = in.getNumber();
  if (out.number == 0) return "a batch with number 0";
  if (auto c = read_workloads(in.getWorkloads(), out)) return c;
  if (auto c = read_tenancies(in.getTenancies(), incarnation, out)) return c;
  if (auto c = read_dialled(in, out)) return c;
  return read_evidence(in.getEvidence(), out);
}

}  // namespace tenure::wire
