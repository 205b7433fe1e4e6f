#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "hold/packed_flow.hpp"
#include "ownership/clock_shift.hpp"

/// Rows as a batch brings them (Packed in capnp/wire.capnp): written by another process, perhaps a hostile
/// one. They are what packed_rows::add_movable writes, with indices from 0 on without gaps, and a near end's
/// name is 1 + its place in the batch's list of workloads.
namespace tenure::hold {

/// No row is shorter: one of IPv4 with small numbers everywhere.
inline constexpr int shortest_received_row = 46;

/// Where they lie.
struct received_rows {
  row_base base;
  const std::byte* first = nullptr;  ///< row_slack bytes behind the last row are readable
  std::uint32_t count = 0;
};

/// What is wrong with them; null when they may be read.
/// @param bytes that they take @param names how long the list of workloads is
/// @param last_stamp raised to the latest stamp of theirs
const char* wrong_in(const received_rows& rows, std::size_t bytes, std::size_t names, nanos& last_stamp);

/// What has to be known of a row to put it among those of a node.
struct received_row {
  const std::byte* begin = nullptr;
  address far;
  /// The earliest that any of its stamps may be; time_min where one is not known, or the error is more than
  /// movable_errors.
  nanos first = 0;
  nanos error = 0;
  // Where in the row they begin.
  std::size_t error_at = 0;
  std::size_t near_address_at = 0;
  std::size_t index_gap_at = 0;
  std::size_t counters_at = 0;
  std::uint32_t index = 0;
  std::uint32_t part = 0;
  std::uint32_t near_name = 0;  ///< 0: none
  std::uint32_t connections = 1;
  std::uint64_t connection = 0;
  std::uint64_t near_sequence = 0;
};

/// Reads them from the first on. @pre nothing is wrong with them
class received_cursor {
 public:
  explicit received_cursor(const received_rows& rows) : base_(&rows.base), at_(rows.first) {}

  /// The next row. @pre there is one
  void next(received_row& out);

  /// Of the row that was read last, or all of it.
  address near_address(const received_row& of) const;
  flow whole(const received_row& of) const;

 private:
  const row_base* base_;
  const std::byte* at_;
  std::uint32_t next_index_ = 0;
  std::uint64_t last_connection_ = 0;
};

/// Brings rows of one batch into our time: one shift does it for most of them, as they lie there.
class row_placer {
 public:
  /// @param shift made after the last of their stamps @param place_one does it for the stamps of a flow that
  /// the shift does not reach: that are older, not known, or too far off. Both outlive it
  row_placer(const received_rows& rows, const clock_shift& shift,
             const std::function<void(flow_times&)>& place_one)
      : rows_(&rows), shift_(&shift), place_one_(&place_one) {}

  /// That placed rows have in common.
  row_base base() const;

  /// @param to has that base @param of read last by `from` @param name as packed_rows::add_received has it
  void add(packed_rows& to, const received_cursor& from, const received_row& of, workload_id name) const;

 private:
  const received_rows* rows_;
  const clock_shift* shift_;
  const std::function<void(flow_times&)>* place_one_;
};

}  // namespace tenure::hold
