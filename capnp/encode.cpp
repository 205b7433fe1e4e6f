#include <variant>

#include "capnp/codec.hpp"
#include "capnp/encode_batch.hpp"

namespace tenure::wire {

namespace {

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

std::size_t body_words(const batch& b) {
  return batch_words(b);
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
  out.setRuns(m.runs);
  out.setWaits(m.waits);
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
  out.setPacked(m.packed);
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
  out.setNext(m.next_ms);
  if (m.known.clock != 0) fill(out.initBracket(), m.known);
}

void fill(schema::Message::Builder root, const pong& m) {
  auto out = root.initPong();
  out.setId(m.id);
  out.setReading(m.reading);
}

void fill(schema::Message::Builder root, const acknowledgement& m) {
  auto out = root.initAcknowledgement();
  out.setBatch(m.batch);
  out.setThrough(m.through);
}

void fill(schema::Message::Builder root, const credit& m) {
  root.initCredit().setBytes(m.bytes);
}

void fill(schema::Message::Builder root, const goodbye& m) {
  auto out = root.initGoodbye();
  out.setReason(text(m.reason));
  out.setLeaving(m.leaving);
}

void fill(schema::Message::Builder root, const batch& b) {
  put_batch(root.initBatch(), b);
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
  put_batch(out.initBatch(), m.content);
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
  const auto room = std::visit([](const auto& body) { return body_words(body); }, m);
  return build_frame(
      room,
      [](const void* what, schema::Message::Builder root) {
        std::visit([&](const auto& body) { fill(root, body); }, *static_cast<const message*>(what));
      },
      &m);
}

/// Every few batches one: all are the same up to the last two words, the numbers.
frame build(const acknowledgement& m) {
  static const frame any = build(message(acknowledgement{}));
  frame out = any;
  out[out.size() - 2] = m.batch;
  out.back() = m.through;
  return out;
}

}  // namespace

frame encode(const message& m) {
  const auto* a = std::get_if<acknowledgement>(&m);
  return a != nullptr ? build(*a) : build(m);
}

}  // namespace tenure::wire
