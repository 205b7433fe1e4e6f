#include <algorithm>
#include <exception>
#include <unordered_set>
#include <utility>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fmt/format.h>

#include "capnp/codec.hpp"
#include "capnp/decode_batch.hpp"
#include "capnp/flat_flows.hpp"
#include "capnp/received_batch.hpp"
#include "wire.capnp.h"

namespace tenure::wire {

namespace {

/// Message, Lot, Batch, list of workloads, list of labels, text: six deep. The rest is room for fields to
/// come.
constexpr int nesting_limit = 8;

clock_bracket read(schema::Bracket::Reader in) {
  return {in.getClock(), in.getSent(), in.getReceived(), in.getReading()};
}

outcome<message> read(schema::Hello::Reader in) {
  hello out{in.getVersion(), in.getIncarnation(), {}, in.getCredit(), in.getSpare(), in.getSettings()};
  if (out.incarnation == 0) return malformed("hello with incarnation 0");
  const auto brackets = in.getBrackets();
  if (brackets.size() > max_hello_brackets)
    return malformed(fmt::format("hello with {} brackets", brackets.size()));
  for (const auto b : brackets) out.brackets.push_back(read(b));
  out.runs = in.getRuns();
  out.waits = in.getWaits();
  if (auto c = read_text(in.getAgent(), out.agent)) return malformed(*c);
  return message(std::move(out));
}

outcome<message> read(schema::Acknowledgement::Reader in) {
  const acknowledgement out{in.getBatch(), in.getThrough()};
  if (out.last() < out.batch || out.count() > max_acknowledged_run)
    return malformed(fmt::format("batches {} through {} acknowledged", out.batch, out.through));
  return out;
}

outcome<message> read(schema::Welcome::Reader in) {
  welcome out{in.getVersion(), {}, in.getCredit(), in.getCompressed(), in.getPacked()};
  if (auto c = read_text(in.getNode(), out.node)) return malformed(*c);
  return message(std::move(out));
}

outcome<message> read(schema::Goodbye::Reader in) {
  goodbye out{{}, in.getLeaving()};
  if (auto c = read_text(in.getReason(), out.reason)) return malformed(*c);
  return message(std::move(out));
}

/// What was found in a frame, taken out of it. @param workloads with their labels @param flows where they are
/// asked for one by one
batch taken_out(const batch_lists& lists, std::vector<workload>&& workloads,
                capnp::List<schema::Flow>::Reader flows) {
  batch out;
  out.number = lists.number;
  out.workloads = std::move(workloads);
  out.tenancies.reserve(lists.tenancies.count);
  for (std::size_t i = 0; i < lists.tenancies.count; ++i) {
    const flat_tenancy t{lists.tenancies.at(i)};
    out.tenancies.push_back({{lists.incarnation, t.sequence()}, {t.where(), t.port()}, t.whose()});
  }
  out.evidence.reserve(lists.evidence.count);
  for (std::size_t i = 0; i < lists.evidence.count; ++i)
    out.evidence.push_back(flat_evidence{lists.evidence.at(i)}.of(lists.tenancies, lists.incarnation));
  out.flows.reserve(lists.flows.count + lists.rows.count);
  const auto keep = [](void* to, flow& f) { static_cast<std::vector<flow>*>(to)->push_back(f); };
  if (lists.rows.count > 0)
    read_rows(lists.rows, keep, &out.flows);
  else
    read_flows(flows, lists, keep, &out.flows);
  return out;
}

/// Its flows, packed; the lists then say where they lie.
hold::packed_rows pack(capnp::List<schema::Flow>::Reader flows, batch_lists& lists) {
  hold::packed_rows out;
  if (flows.size() == 0) return out;
  auto add = [&](flow& f) {
    if (out.empty())
      out = hold::packed_rows({lists.incarnation, lists.number, f.times.closed, f.near_address.high()},
                              flows.size());
    out.add_movable(f);
  };
  read_flows(
      flows, lists, [](void* to, flow& f) { (*static_cast<decltype(add)*>(to))(f); }, &add);
  lists.rows = {out.base(), out.bytes().data(), out.count()};
  return out;
}

outcome<message> read_batch(schema::Batch::Reader in, std::uint64_t incarnation) {
  batch_lists lists;
  std::vector<workload> workloads;
  const auto flows = in.getFlows();
  if (auto c = read_lists(in, flows, incarnation, lists, &workloads)) return malformed(*c);
  return message(taken_out(lists, std::move(workloads), flows));
}

outcome<message> read(schema::Packed::Reader in, std::uint64_t incarnation) {
  batch_lists lists;
  std::vector<workload> workloads;
  if (auto c = read_lists(in, incarnation, lists, &workloads)) return malformed(*c);
  batch out = taken_out(lists, std::move(workloads), {});
  std::unordered_set<tenancy_id> known;
  for (const auto& t : out.tenancies) known.insert(t.id);
  for (const auto& f : out.flows)
    if (!f.near_tenancy.none() && known.insert(f.near_tenancy).second)
      out.tenancies.push_back({f.near_tenancy, {f.near_address, 0}, f.near_workload});
  return message(std::move(out));
}

outcome<message> read(schema::PeerHello::Reader in) {
  peer_hello out{in.getVersion(), in.getIncarnation(), {}};
  if (out.incarnation == 0) return malformed("peerHello with incarnation 0");
  if (auto c = read_text(in.getNode(), out.node)) return malformed(*c);
  return message(std::move(out));
}

outcome<message> read(schema::PeerWelcome::Reader in) {
  peer_welcome out{in.getVersion(), in.getIncarnation(), {}, in.getCredit(), in.getAge()};
  if (out.incarnation == 0) return malformed("peerWelcome with incarnation 0");
  if (auto c = read_text(in.getNode(), out.node)) return malformed(*c);
  return message(std::move(out));
}

outcome<message> read(schema::Lot::Reader in) {
  lot out{in.getId(), {}, in.getIncarnation(), {}, in.getHandedOver()};
  if (out.id == 0 || out.incarnation == 0) return malformed("a lot with id or incarnation 0");
  if (auto c = read_text(in.getAgent(), out.agent)) return malformed(*c);
  auto content = read_batch(in.getBatch(), out.incarnation);
  if (!content) return content;
  out.content = std::move(std::get<batch>(*content));
  const auto indices = in.getIndices();
  auto& flows = out.content.flows;
  if (indices.size() != flows.size()) return malformed("a lot with another number of indices than flows");
  for (unsigned i = 0; i < indices.size(); ++i) {
    flows[i].id.index = indices[i];
    if (i > 0 && flows[i].id.index <= flows[i - 1].id.index) return malformed("indices that do not increase");
  }
  return message(std::move(out));
}

outcome<message> read(schema::Settled::Reader in) {
  const auto lots = in.getLots();
  if (lots.size() > max_settled_lots) return malformed(fmt::format("{} settled lots", lots.size()));
  settled out;
  out.lots.reserve(lots.size());
  for (const auto id : lots) out.lots.push_back(id);
  return message(std::move(out));
}

outcome<message> read(schema::Settings::Reader in) {
  const auto text = in.getText();
  if (text.size() > max_settings_bytes) return malformed(fmt::format("settings of {} bytes", text.size()));
  return settings{in.getVersion(), {reinterpret_cast<const char*>(text.begin()), text.size()}};
}

outcome<message> read(schema::Compressed::Reader in) {
  const auto content = in.getContent();
  return compressed{in.getBytes(), {reinterpret_cast<const char*>(content.begin()), content.size()}};
}

outcome<message> read(schema::Message::Reader root, std::uint64_t incarnation) {
  switch (root.which()) {
    case schema::Message::HELLO:
      return read(root.getHello());
    case schema::Message::WELCOME:
      return read(root.getWelcome());
    case schema::Message::PING: {
      auto in = root.getPing();
      return ping{in.getId(), in.getAgents(), read(in.getBracket()), in.getNext()};
    }
    case schema::Message::PONG: {
      auto in = root.getPong();
      return pong{in.getId(), in.getReading()};
    }
    case schema::Message::BATCH:
      return read_batch(root.getBatch(), incarnation);
    case schema::Message::ACKNOWLEDGEMENT:
      return read(root.getAcknowledgement());
    case schema::Message::CREDIT:
      return credit{root.getCredit().getBytes()};
    case schema::Message::GOODBYE:
      return read(root.getGoodbye());
    case schema::Message::PEER_HELLO:
      return read(root.getPeerHello());
    case schema::Message::PEER_WELCOME:
      return read(root.getPeerWelcome());
    case schema::Message::LOT:
      return read(root.getLot());
    case schema::Message::SETTLED:
      return read(root.getSettled());
    case schema::Message::SETTINGS:
      return read(root.getSettings());
    case schema::Message::COMPRESSED:
      return read(root.getCompressed());
    case schema::Message::PACKED:
      return read(root.getPacked(), incarnation);
  }
  return malformed(fmt::format("unknown kind of message {}", static_cast<unsigned>(root.which())));
}

}  // namespace

tl::unexpected<failure> malformed(std::string_view what) {
  return fail(trouble::usage, fmt::format("malformed message: {}", what));
}

complaint read_text(capnp::Text::Reader in, std::string_view& out) {
  out = {in.begin(), in.size()};
  if (out.size() > max_name_bytes) return fmt::format("a text of {} bytes", out.size());
  if (!valid_text(out)) return "a text with control characters, or not UTF-8";
  return {};
}

complaint read_text(capnp::Text::Reader in, std::string& out) {
  std::string_view text;
  auto c = read_text(in, text);
  if (!c) out = text;
  return c;
}

namespace {

capnp::ReaderOptions limits(const frame& f) {
  capnp::ReaderOptions options;
  // A message is a tree in which we read each object once, so it never takes more words than the frame has.
  // Pointers that meet, to have a few bytes read many times, do.
  options.traversalLimitInWords = f.size();
  options.nestingLimit = nesting_limit;
  return options;
}

kj::ArrayPtr<const capnp::word> words_of(const frame& f) {
  return kj::arrayPtr(reinterpret_cast<const capnp::word*>(f.data()), f.size());
}

/// @returns what `read` makes of the frame's root, or the failure of a frame that is none.
template <class Result, class Read>
outcome<Result> read_frame(const frame& f, Read&& read_root) {
  if (f.size() * sizeof(f[0]) > max_frame_bytes) return malformed("longer than a frame may be");
  try {
    const auto words = words_of(f);
    capnp::FlatArrayMessageReader reader(words, limits(f));
    if (reader.getEnd() != words.end()) return malformed("bytes after its end");
    return read_root(reader.getRoot<schema::Message>());
  } catch (const kj::Exception& e) {
    return malformed(std::string_view(e.getDescription().cStr(), e.getDescription().size()));
  } catch (const std::exception& e) {
    return malformed(e.what());
  }
}

}  // namespace

bool is_packed(const frame& f) {
  const auto found =
      read_frame<bool>(f, [](schema::Message::Reader root) -> outcome<bool> { return root.isPacked(); });
  return found.value_or(false);
}

outcome<message> decode(const frame& f, std::uint64_t incarnation) {
  return read_frame<message>(
      f, [&](schema::Message::Reader root) -> outcome<message> { return read(root, incarnation); });
}

outcome<std::variant<message, received_batch>> receive(frame_ptr f, std::uint64_t incarnation) {
  using received = std::variant<message, received_batch>;
  return read_frame<received>(*f, [&](schema::Message::Reader root) -> outcome<received> {
    if (!root.isBatch() && !root.isPacked()) {
      auto other = read(root, incarnation);
      if (!other) return tl::unexpected(other.error());
      return received(std::move(*other));
    }
    received_batch b;
    if (root.isPacked()) {
      if (auto c = read_lists(root.getPacked(), incarnation, b.lists_, nullptr)) return malformed(*c);
    } else {
      const auto in = root.getBatch();
      const auto flows = in.getFlows();
      if (auto c = read_lists(in, flows, incarnation, b.lists_, nullptr)) return malformed(*c);
      b.packed_here_ = pack(flows, b.lists_);
    }
    b.frame_ = std::move(f);
    return received(std::move(b));
  });
}

}  // namespace tenure::wire
