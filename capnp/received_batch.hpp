#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "capnp/codec.hpp"
#include "capnp/flat_tables.hpp"
#include "hold/received_rows.hpp"

namespace tenure::wire {

using frame_ptr = std::shared_ptr<const frame>;

/// Where the parts of a batch lie, all of them checked. Workload_ids are 1 + the index into `workloads`, as
/// in `batch`.
struct batch_lists {
  std::uint64_t number = 0;
  std::uint64_t incarnation = 0;
  std::vector<std::string_view> workloads;  ///< their names
  flat_list tenancies;
  flat_list evidence;
  flat_list flows;           ///< none of them lies anywhere when they have to be asked for one by one
  hold::received_rows rows;  ///< of a packed batch
  std::vector<dialled_entry> dialled;
  /// The latest of all stamps of evidence and flows; time_min when there are none.
  nanos last_stamp = time_min;

  /// Lists of a sender whose structs are shorter than ours, written anew.
  std::vector<std::uint64_t> rewritten_tenancies;
  std::vector<std::uint64_t> rewritten_evidence;
};

/// A batch as a node takes it: checked, and left in its frame, where evidence and packed flows wait until it
/// is known when they were. Taken out they would be 128 and 250 bytes apiece: writing and reading those would
/// cost more than the rest of the batch. Flows that came plain are packed here, which leaves out their
/// initial sequence numbers.
class received_batch {
 public:
  received_batch() = default;
  // Only moves leave the rows where they are.
  received_batch(received_batch&&) = default;
  received_batch& operator=(received_batch&&) = default;

  std::uint64_t number() const { return lists_.number; }
  /// As long as the batch lives.
  const std::vector<std::string_view>& workloads() const { return lists_.workloads; }
  /// Of memory that it keeps.
  std::size_t bytes() const { return frame_->size() * sizeof(frame_->front()) + packed_here_.room(); }
  nanos last_stamp() const { return lists_.last_stamp; }
  std::size_t evidence_count() const { return lists_.evidence.count; }
  std::size_t flow_count() const { return lists_.rows.count; }
  /// The flows, as long as the batch lives.
  const hold::received_rows& rows() const { return lists_.rows; }

  /// Calls visit(evidence&) for each piece, in order; `visit` may change what it is given.
  template <class Visit>
  void each_evidence(Visit&& visit) const {
    for (std::size_t i = 0; i < lists_.evidence.count; ++i) {
      auto e = flat_evidence{lists_.evidence.at(i)}.of(lists_.tenancies, lists_.incarnation);
      visit(e);
    }
  }

 private:
  friend outcome<std::variant<message, received_batch>> receive(frame_ptr f, std::uint64_t incarnation);

  frame_ptr frame_;
  batch_lists lists_;
  hold::packed_rows packed_here_;
};

/// As `decode`, but a batch keeps the frame and stays in it. What it refuses is the same.
outcome<std::variant<message, received_batch>> receive(frame_ptr f, std::uint64_t incarnation);

}  // namespace tenure::wire
