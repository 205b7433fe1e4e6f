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

complaint read_labels(capnp::List<schema::Label>::Reader in, workload* out) {
  if (auto c = too_many("labels of a workload", in.size(), max_workload_labels)) return c;
  for (auto label : in) {
    std::string_view key, value;
    if (auto c = read_text(label.getKey(), key)) return c;
    if (auto c = read_text(label.getValue(), value)) return c;
    if (out != nullptr) out->labels.emplace_back(key, value);
  }
  return {};
}

complaint read_workloads(capnp::List<schema::Workload>::Reader in, batch_lists& out,
                         std::vector<workload>* whole) {
  if (auto c = too_many("workloads", in.size(), max_batch_workloads)) return c;
  out.workloads.reserve(in.size());
  for (auto item : in) {
    auto& name = out.workloads.emplace_back();
    if (auto c = read_text(item.getName(), name)) return c;
    if (name.empty()) return "a workload without a name";
    if (whole != nullptr) whole->push_back({std::string(name), {}});
    if (auto c = read_labels(item.getLabels(), whole != nullptr ? &whole->back() : nullptr)) return c;
  }
  return {};
}

complaint read_tenancies(capnp::List<schema::Tenancy>::Reader in, batch_lists& out) {
  if (auto c = too_many("tenancies", in.size(), max_batch_tenancies)) return c;
  out.tenancies = flat<schema::Tenancy>(in, flat_tenancy::bytes);
  if (in.size() > 0 && out.tenancies.first == nullptr) out.tenancies = rewrite(in, out.rewritten_tenancies);
  for (std::size_t i = 0; i < out.tenancies.count; ++i) {
    const flat_tenancy t{out.tenancies.at(i)};
    if (t.sequence() == 0) return "a tenancy with sequence 0";
    if (t.workload() >= out.workloads.size()) return "a tenancy of a workload that is not in the batch";
  }
  return {};
}

complaint read_evidence(capnp::List<schema::Evidence>::Reader in, batch_lists& out) {
  if (auto c = too_many("evidences", in.size(), max_batch_evidence)) return c;
  out.evidence = flat<schema::Evidence>(in, flat_evidence::bytes);
  if (in.size() > 0 && out.evidence.first == nullptr) out.evidence = rewrite(in, out.rewritten_evidence);
  for (std::size_t i = 0; i < out.evidence.count; ++i) {
    const flat_evidence e{out.evidence.at(i)};
    if (e.tenancy() >= out.tenancies.count) return "evidence of a tenancy that is not in the batch";
    if (e.from_error() < 0 || e.until_error() < 0) return "evidence with a negative error";
    out.last_stamp = std::max({out.last_stamp, e.from(), e.until()});
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
endpoint dialled_of(const std::vector<dialled_entry>& dialled, std::uint32_t index) {
  if (dialled.empty()) return {};
  const auto at = std::ranges::lower_bound(dialled, index, {}, &dialled_entry::flow);
  return at != dialled.end() && at->flow == index ? at->dialled : endpoint{};
}

template <class Flow>
void read_flow(const Flow& in, std::uint32_t index, const batch_lists& lists, flow& out) {
  out.id = {lists.incarnation, lists.number, index};
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
  out.near_tenancy = {};
  out.near_workload = workload_id{in.getNearWorkload()};
  if (const auto tenancy = in.getNearTenancy(); tenancy != 0) {
    const flat_tenancy held{lists.tenancies.at(tenancy - 1)};
    out.near_tenancy = {lists.incarnation, held.sequence()};
    out.near_workload = held.whose();
  }
  out.dialled = dialled_of(lists.dialled, index);
}

complaint read_dialled(schema::Batch::Reader in, batch_lists& out) {
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

complaint check_flows(capnp::List<schema::Flow>::Reader in, batch_lists& out) {
  if (auto c = too_many("flows", in.size(), max_batch_flows)) return c;
  if (!out.dialled.empty() && out.dialled.back().flow >= in.size())
    return "a dialled address of a flow that is not in the batch";
  const char* wrong = nullptr;
  nanos last = out.last_stamp;
  out.flows = flat<schema::Flow>(in, flat_flow::bytes);
  each_flow(in, out.flows, [&](const auto& f, unsigned) {
    wrong = wrong_in(f);
    if (wrong == nullptr && f.getNearTenancy() > out.tenancies.count)
      wrong = "a flow whose near tenancy is not in the batch";
    if (wrong == nullptr && f.getNearWorkload() > out.workloads.size())
      wrong = "a flow whose near workload is not in the batch";
    last = std::max({last, f.getOpenedAt(), f.getEstablishedAt(), f.getLastReceivedAt(), f.getClosedAt()});
    return wrong == nullptr;
  });
  if (wrong != nullptr) return wrong;
  out.last_stamp = last;
  return {};
}

}  // namespace

void read_flows(capnp::List<schema::Flow>::Reader in, const batch_lists& lists, flow_visitor visit,
                void* context) {
  flow f;
  each_flow(in, lists.flows, [&](const auto& item, unsigned index) {
    read_flow(item, index, lists, f);
    visit(context, f);
    return true;
  });
}

void read_rows(const hold::received_rows& rows, flow_visitor visit, void* context) {
  flow f;
  hold::row_cursor cursor(rows.base, rows.first);
  for (std::uint32_t i = 0; i < rows.count; ++i) {
    cursor.next(f);
    visit(context, f);
  }
}

complaint read_lists(schema::Batch::Reader in, capnp::List<schema::Flow>::Reader flows,
                     std::uint64_t incarnation, batch_lists& out, std::vector<workload>* workloads) {
  out.incarnation = incarnation;
  out.number = in.getNumber();
  if (out.number == 0) return "a batch with number 0";
  if (auto c = read_workloads(in.getWorkloads(), out, workloads)) return c;
  if (auto c = read_tenancies(in.getTenancies(), out)) return c;
  if (auto c = read_dialled(in, out)) return c;
  if (auto c = read_evidence(in.getEvidence(), out)) return c;
  return check_flows(flows, out);
}

complaint read_lists(schema::Packed::Reader in, std::uint64_t incarnation, batch_lists& out,
                     std::vector<workload>* workloads) {
  if (in.getForm() == 0 || in.getForm() > packed_form) return "rows of a form that is not read here";
  const auto rest = in.getBatch();
  if (auto c = read_lists(rest, rest.getFlows(), incarnation, out, workloads)) return c;
  if (out.flows.count > 0) return "a packed batch with flows that are not packed";
  if (auto c = too_many("flows", in.getFlows(), max_batch_flows)) return c;
  const auto rows = in.getRows();
  if (rows.size() < hold::row_slack) return "rows without the zeros behind them";
  out.rows.base = {incarnation, out.number, in.getTime(), in.getNearHigh()};
  out.rows.first = reinterpret_cast<const std::byte*>(rows.begin());
  out.rows.count = in.getFlows();
  if (const char* wrong =
          hold::wrong_in(out.rows, rows.size() - hold::row_slack, out.workloads.size(), out.last_stamp))
    return wrong;
  return {};
}

}  // namespace tenure::wire
