#include <exception>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <fmt/format.h>

#include "capnp/codec.hpp"
#include "capnp/decode_batch.hpp"
#include "wire.capnp.h"

namespace tenure::wire {

namespace {

/// Message, Batch, list of workloads, list of labels, text: five deep. The rest is room for fields to come.
constexpr int nesting_limit = 8;

outcome<message> read(schema::Hello::Reader in) {
  hello out{in.getVersion(), in.getIncarnation(), {}};
  if (out.incarnation == 0) return malformed("hello with incarnation 0");
  if (auto c = read_text(in.getAgent(), out.agent)) return malformed(*c);
  return message(std::move(out));
}

outcome<message> read(schema::Welcome::Reader in) {
  welcome out{in.getVersion(), {}};
  if (auto c = read_text(in.getNode(), out.node)) return malformed(*c);
  return message(std::move(out));
}

outcome<message> read(schema::Goodbye::Reader in) {
  goodbye out;
  if (auto c = read_text(in.getReason(), out.reason)) return malformed(*c);
  return message(std::move(out));
}

outcome<message> read(schema::Message::Reader root, std::uint64_t incarnation) {
  switch (root.which()) {
    case schema::Message::HELLO:
      return read(root.getHello());
    case schema::Message::WELCOME:
      return read(root.getWelcome());
    case schema::Message::PING:
      return ping{root.getPing().getId()};
    case schema::Message::PONG: {
      auto in = root.getPong();
      return pong{in.getId(), in.getReading()};
    }
    case schema::Message::BATCH:
      return read_batch(root.getBatch(), incarnation);
    case schema::Message::ACKNOWLEDGEMENT:
      return acknowledgement{root.getAcknowledgement().getBatch()};
    case schema::Message::GOODBYE:
      return read(root.getGoodbye());
  }
  return malformed(fmt::format("unknown kind of message {}", static_cast<unsigned>(root.which())));
}

}  // namespace

tl::unexpected<failure> malformed(std::string_view what) {
  return fail(trouble::usage, fmt::format("malformed message: {}", what));
}

complaint read_text(capnp::Text::Reader in, std::string& out) {
  std::string_view text(in.begin(), in.size());
  if (text.size() > max_name_bytes) return fmt::format("a text of {} bytes", text.size());
  if (!valid_text(text)) return "a text with control characters, or not UTF-8";
  out = text;
  return {};
}

outcome<message> decode(const frame& f, std::uint64_t incarnation) {
  if (f.size() * sizeof(f[0]) > max_frame_bytes) return malformed("longer than a frame may be");
  capnp::ReaderOptions options;
  // A message is a tree in which we read each object once, so it never takes more words than the frame has.
  // Pointers that meet, to have a few bytes read many times, do.
  options.traversalLimitInWords = f.size();
  options.nestingLimit = nesting_limit;
  try {
    auto words = kj::arrayPtr(reinterpret_cast<const capnp::word*>(f.data()), f.size());
    capnp::FlatArrayMessageReader reader(words, options);
    if (reader.getEnd() != words.end()) return malformed("bytes after its end");
    return read(reader.getRoot<schema::Message>(), incarnation);
  } catch (const kj::Exception& e) {
    return malformed(std::string_view(e.getDescription().cStr(), e.getDescription().size()));
  } catch (const std::exception& e) {
    return malformed(e.what());
  }
}

}  // namespace tenure::wire
