#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <capnp/common.h>
#include <kj/string.h>

#include "capnp/codec.hpp"
#include "capnp/made_batch.hpp"
#include "capnp/tenancy_places.hpp"
#include "wire.capnp.h"

/// Between the files of the encoder.
namespace tenure::wire {

inline std::size_t text_words(const std::string& text) {
  return text.size() / 8 + 1;  // it ends with a zero byte
}

template <class Struct>
std::size_t list_words(std::size_t count) {
  return 1 + count * capnp::sizeInWords<Struct>();  // a tag goes before the elements
}

inline kj::StringPtr text(const std::string& s) {
  return {s.c_str(), s.size()};
}

/// Room for a batch without its flows, and for all of it, reckoned from above.
std::size_t table_words(const batch& b);
std::size_t batch_words(const batch& b);

/// All but flows. @param told the tenancies that are written @param places theirs
void put_tables(schema::Batch::Builder out, const batch& b, const std::vector<tenancy_entry>& told,
                const tenancy_places& places);

void put_batch(schema::Batch::Builder out, const batch& b);

/// As encode_made with `packed`. @param told the tenancies that are written
frame pack_made(const batch& tables, const std::vector<tenancy_entry>& told, std::uint32_t flows,
                flow_maker make, void* context);

/// A frame with one message.
/// @param room for the message's one kind, reckoned from above
/// @param fill called once with the context and the message's root
frame build_frame(std::size_t room, void (*fill)(const void* context, schema::Message::Builder root),
                  const void* context);

}  // namespace tenure::wire
