#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <variant>

#include "capnp/codec.hpp"

namespace tenure::wire {

using frame_ptr = std::shared_ptr<const frame>;

/// Where flows lie in a frame (flat_flows.hpp).
struct flat_list {
  const std::byte* first = nullptr;  ///< null: they have to be asked for one by one
  std::ptrdiff_t apart = 0;
};

/// A batch as a node takes it: all of it checked, tables and evidence decoded, the flows left in their frame
/// until it is known what becomes of each. A decoded flow takes 250 bytes: writing and reading them would
/// cost more than the rest of the batch.
class received_batch {
 public:
  /// Without its flows.
  batch tables;
  std::size_t flow_count = 0;
  /// The latest of all stamps of its evidence and flows; time_min when it has none.
  nanos last_stamp = time_min;

  /// Calls visit(flow&) for each flow, in order; `visit` may change what it is given. Ids, tenancies and
  /// workloads are as in `batch`.
  template <class Visit>
  void each_flow(Visit&& visit) const {
    using visitor = std::remove_reference_t<Visit>;
    read_flows([](void* to, flow& f) { (*static_cast<visitor*>(to))(f); }, &visit);
  }

 private:
  friend outcome<std::variant<message, received_batch>> receive(frame_ptr f, std::uint64_t incarnation);
  void read_flows(void (*visit)(void*, flow&), void* context) const;

  frame_ptr frame_;
  flat_list flows_;
  std::uint64_t incarnation_ = 0;
};

/// As `decode`, but a batch keeps the frame and its flows stay in it. What it refuses is the same.
outcome<std::variant<message, received_batch>> receive(frame_ptr f, std::uint64_t incarnation);

}  // namespace tenure::wire
