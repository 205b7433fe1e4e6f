#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <capnp/common.h>

#include "capnp/messages.hpp"
#include "capnp/received_batch.hpp"
#include "ownership/outcome.hpp"
#include "wire.capnp.h"

/// Between the files of the decoder.
namespace tenure::wire {

/// The failure of a frame that is not a message, with what is wrong about it.
tl::unexpected<failure> malformed(std::string_view what);

/// What is wrong with a part of a message; nothing when it is fine.
using complaint = std::optional<std::string>;

/// A text within its bounds.
complaint read_text(capnp::Text::Reader in, std::string& out);

/// The tables and the evidence of a batch: lists within their bounds, indices that point into its tables,
/// signs that are right. May throw what Cap'n Proto throws, as all of these.
complaint read_tables(schema::Batch::Reader in, std::uint64_t incarnation, batch& out);

/// What is wrong with the list of flows of a batch with so many tenancies; raises `last_stamp` to the latest
/// of their stamps.
complaint check_flows(capnp::List<schema::Flow>::Reader in, const batch& tables, nanos& last_stamp);

using flow_visitor = void (*)(void* context, flow& f);
/// Calls visit(context, flow) for each, in order. @param tables of their batch. @pre check_flows found
/// nothing
void read_flows(capnp::List<schema::Flow>::Reader in, std::uint64_t incarnation, const batch& tables,
                flow_visitor visit, void* context);
/// The same, without the list. @pre there are `count`
void read_flat_flows(const flat_list& in, std::size_t count, std::uint64_t incarnation, const batch& tables,
                     flow_visitor visit, void* context);

}  // namespace tenure::wire
