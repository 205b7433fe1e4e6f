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
complaint read_text(capnp::Text::Reader in, std::string_view& out);
complaint read_text(capnp::Text::Reader in, std::string& out);

/// All of a batch: lists within their bounds, indices that point into its tables, enumerations, signs that
/// are right. May throw what Cap'n Proto throws, as all of these.
/// @param flows the batch's: Cap'n Proto counts what it is asked for, so nothing is asked for twice
/// @param workloads where they go with their labels, unless it is null
complaint read_lists(schema::Batch::Reader in, capnp::List<schema::Flow>::Reader flows,
                     std::uint64_t incarnation, batch_lists& out, std::vector<workload>* workloads);

/// The same for a packed one.
complaint read_lists(schema::Packed::Reader in, std::uint64_t incarnation, batch_lists& out,
                     std::vector<workload>* workloads);

using flow_visitor = void (*)(void* context, flow& f);
/// Calls visit(context, flow) for each, in order. @pre read_lists found nothing wrong
void read_flows(capnp::List<schema::Flow>::Reader in, const batch_lists& lists, flow_visitor visit,
                void* context);
/// The same for rows, in which read_lists found nothing wrong.
void read_rows(const hold::received_rows& rows, flow_visitor visit, void* context);

}  // namespace tenure::wire
