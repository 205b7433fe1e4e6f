

#include <algorithm>
#include <unordered_map>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "capnp/codec.hpp"
#include "ownership/invariant.hpp"
#include "wire.capnp.h"

namespace tenure::wire {

namespace {

std::size_t text_words(const std::string& text) {
  return text.size() / 8 + 1;
}  // it ends with a zero byte

template <class Struct>
std::size_t list_words(std::size_t count) {
  return 1 + count * capnp::sizeInWords<Struct>();  // a tag goes before the elements
}

std::size_t body_words(const hello& m) {
  return capnp::sizeInWords<schema::Hello>() + text_words(m.agent) +
         list_words<schema::Bracket>(m.brackets.size());
}
std::size_t body_words(const welcome& m) {
  return capnp::sizeInWords<schema::Welcome>() + text_words(m.node);
}
std::size_t body_words(const ping&) {
  return capnp::sizeInWords<schema::Ping>() + capnp::sizeInWords<schema::Bracket>();
}
std::size_t body_words(const pong&) {
  return capnp::sizeInWords<schema::Pong>();
}
std::size_t body_words(const acknowledgement&) {
  return capnp::sizeInWords<schema::Acknowledgement>();
}
std::size_t body_words(const credit&) {
  return capnp::sizeInWords<schema::Credit>();
}
std::size_t body_words(const goodbye& m) {
  return capnp::sizeInWords<schema::Goodbye>() + text_words(m.reason);
}

std::size_t body_words(const settings& m) {
  return capnp::sizeInWords<schema::Settings>() + text_words(m.text);
}
std::size_t body_words(const compressed& m) {
  return capnp::sizeInWords<schema::Compressed>() + text_words(m.content);
}

std::size_t count_dialled(const batch& b) {
  return static_cast<std::size_t>(
      std::ranges::count_if(b.flows, [](const flow& f) { return f.dialled.port != 0; }));
}

std::size_t body_words(const batch& b) {
  auto words = capnp::sizeInWords<schema::Batch>() + list_words<schema::Workload>(b.workloads.size()) +
               list_words<schema::Tenancy>(b.tenancies.size()) +
               list_words<schema::Evidence>(b.evidence.size()) + list_words<schema::Flow>(b.flows.size()) +
               list_words<schema::Dialled>(count_dialled(b));
  for (const auto& w : b.workloads) {
    words += text_words(w.name) + list_words<schema::Label>(w.labels.size());
    for (const auto& [key, value] : w.labels) words += text_words(key) + text_words(value);
  }
  return words;
}

std::size_t body_words(const peer_hello& m) {
  return capnp::sizeInWords<schema::PeerHello>() + text_words(m.node);
}
std::size_t body_words(const peer_welcome& m) {
  return capnp::sizeInWords<schema::PeerWelcome>() + text_words(m.node);
}
std::size_t body_words(const lot& m) {
  return capnp::sizeInWords<schema::Lot>() + text_words(m.agent) + body_words(m.content) +
         m.content.flows.size() / 2 + 1;
}
std::size_t body_words(const settled& m) {
  return capnp::sizeInWords<schema::Settled>() + m.lots.size();
}

kj::StringPtr text(const std::string& s) {
  return {s.c_str(), s.size()};
}

void fill(schema::Bracket::Builder out, const clock_bracket& b) {
  out.setClock(b.clock);
  out.setSent(b.sent);
  out.setReceived(b.received);
  out.setReading(b.reading);
}

void fill(schema::Message::Builder root, const hello& m) {
  auto out = root.initHello();
  out.setVersion(m.version);
  out.setIncarnation(m.incarnation);
  out.setAgent(text(m.agent));
  out.setCredit(m.credit);
  out.setSpare(m.spare);
  out.setSettings(m.settings);
  if (m.brackets.empty()) return;
  auto brackets = out.initBrackets(static_cast<unsigned>(m.brackets.size()));
  for (unsigned i = 0; i < m.brackets.size(); ++i) fill(brackets[i], m.brackets[i]);
}

void fill(schema::Message::Builder root, const welcome& m) {
  auto out = root.initWelcome();
  out.setVersion(m.version);
  out.setNode(text(m.node));
  out.setCredit(m.credit);
  out.setCompressed(m.compressed);
}

capnp::Data::Reader data(const std::string& s) {
  return {reinterpret_cast<const kj::byte*>(s.data()), s.size()};
}

void fill(schema::Message::Builder root, const settings& m) {
  auto out = root.initSettings();
  out.setVersion(m.version);
  out.setText(data(m.text));
}

void fill(schema::Message::Builder root, const compressed& m) {
  auto out = root.initCompressed();
  out.setBytes(m.bytes);
  out.setContent(data(m.content));
}

void fill(schema::Message::Builder root, const ping& m) {
  auto out = root.initPing();
  out.setId(m.id);
  out.setAgents(m.agents);
  if (m.known.clock != 0) fill(out.initBracket(), m.known);
}

void fill(schema::Message::Builder root, const pong& m) {
  auto out = root.initPong();
  out.setId(m.id);
  out.setReading(m.reading);
}

void fill(schema::Message::Builder root, const acknowledgement& m) {
  root.initAcknowledgement().setBatch(m.batch);
}

void fill(schema::Message::Builder root, const credit& m) {
  root.initCredit().setBytes(m.bytes);
}

void fill(schema::Message::Builder root, const goodbye& m) {
  auto out = root.initGoodbye();
  out.setReason(text(m.reason));
  out.setLeaving(m.leaving);
}

/// The places of a batch's tenancies in its table.
class tenancy_places {
 public:
  explicit tenancy_places(const std::vector<tenancy_entry>& table) {
    by_id_.reserve(table.size());
    for (const auto& entry : table) by_id_.emplace(entry.id, static_cast<std::uint32_t>(by_id_.size()));
  }

  std::uint32_t at(const tenancy_id& id) const {
    auto found = by_id_.find(id);
    invariant(found != by_id_.end(), "every tenancy that a batch names stands in its table, once");
    return found->second;
  }

 private:
  std::unordered_map<tenancy_id, std::uint32_t> by_id_;
};

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

void put(schema::Batch::Builder out, const batch& b) {
  tenancy_places places(b.tenancies);
  out.setNumber(b.number);
  auto workloads = out.initWorkloads(static_cast<unsigned>(b.workloads.size()));
  for (unsigned i = 0; i < workloads.size(); ++i) put(workloads[i], b.workloads[i]);
  auto tenancies = out.initTenancies(static_cast<unsigned>(b.tenancies.size()));
  for (unsigned i = 0; i < tenancies.size(); ++i) put(tenancies[i], b.tenancies[i]);
  auto evidence = out.initEvidence(static_cast<unsigned>(b.evidence.size()));
  for (unsigned i = 0; i < evidence.size(); ++i) put(evidence[i], b.evidence[i], places);
  auto flows = out.initFlows(static_cast<unsigned>(b.flows.size()));
  for (unsigned i = 0; i < flows.size(); ++i) put(flows[i], b.flows[i], places);
  const auto many = count_dialled(b);
  if (many == 0) return;
  auto dialled = out.initDialled(static_cast<unsigned>(many));
  unsigned next = 0;
  for (unsigned i = 0; i < flows.size(); ++i) {
    const auto& where = b.flows[i].dialled;
    if (where.port == 0) continue;
    auto entry = dialled[next++];
    entry.setFlow(i);
    entry.setPort(where.port);
    put(entry.getAddress(), where.address);
  }
}

void fill(schema::Message::Builder root, const batch& b) {
  put(root.initBatch(), b);
}

void fill(schema::Message::Builder root, const peer_hello& m) {
  auto out = root.initPeerHello();
  out.setVersion(m.version);
  out.setIncarnation(m.incarnation);
  out.setNode(text(m.node));
}

void fill(schema::Message::Builder root, const peer_welcome& m) {
  auto out = root.initPeerWelcome();
  out.setVersion(m.version);
  out.setIncarnation(m.incarnation);
  out.setNode(text(m.node));
  out.setCredit(m.credit);
  out.setAge(m.age);
}

void fill(schema::Message::Builder root, const lot& m) {
  auto out = root.initLot();
  out.setId(m.id);
  out.setAgent(text(m.agent));
  out.setIncarnation(m.incarnation);
  put(out.initBatch(), m.content);
  auto indices = out.initIndices(static_cast<unsigned>(m.content.flows.size()));
  for (unsigned i = 0; i < indices.size(); ++i) indices.set(i, m.content.flows[i].id.index);
  out.setHandedOver(m.handed_over);
}

void fill(schema::Message::Builder root, const settled& m) {
  auto lots = root.initSettled().initLots(static_cast<unsigned>(m.lots.size()));
  for (unsigned i = 0; i < lots.size(); ++i) lots.set(i, m.lots[i]);
}

}  // namespace

namespace {

frame build(const message& m) {
  // The message is built in place as one segment behind its two-number table: one word, no copy. Room is
  // reckoned from above, so the builder never asks for more.
  auto room = std::visit([](const auto& body) { return body_words(body); }, m);
  room += 1 + capnp::sizeInWords<schema::Message>();  // the root and the pointer to it
  frame out(1 + room, 0);                             // which the builder takes for granted
  capnp::FlatMessageBuilder builder(
      kj::arrayPtr(reinterpret_cast<capnp::word*>(out.data() + 1), room));  // NOLINT: words are words
  auto root = builder.initRoot<schema::Message>();
  std::visit([&](const auto& body) { fill(root, body); }, m);
  auto used = builder.getSegmentsForOutput()[0].size();
  // The segment table in little endian: number of segments less one, then the size of the first in words.
  out[0] = static_cast<std::uint64_t>(used) << 32;
  out.resize(1 + used);
  invariant(out.size() * sizeof(out[0]) <= max_frame_bytes, "what makes batches seals them below this");
  return out;
}

/// Of each batch one: all are the same up to the number, which is the last word.
frame build(const acknowledgement& m) {
  static const frame any = build(message(acknowledgement{}));
  frame out = any;
  out.back() = m.batch;
  return out;
}

}  // namespace

frame encode(const message& m) {
  const auto* a = std::get_if<acknowledgement>(&m);
  return a != nullptr ? build(*a) : build(m);
}

}  // namespace tenure::wire
