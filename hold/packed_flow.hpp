#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "ownership/flow.hpp"
#include "ownership/raw_vector.hpp"
#include "ownership/timelines.hpp"

/// Flows as they wait: about 60 bytes each instead of 250, without loss of anything that the rule or a record
/// reads.
namespace tenure::hold {

/// What the rows of one batch have in common. Rows can only be read with the base they were written with.
struct row_base {
  std::uint64_t incarnation = 0;  ///< of every flow's id, and of every near tenancy
  std::uint64_t batch = 0;        ///< of every flow's id
  nanos time = 0;                 ///< near which most stamps lie; any value is right, a near one is short
  /// The upper half of most near addresses, and its upper half that of most addresses; likewise.
  std::uint64_t near_high = 0;

  friend bool operator==(const row_base&, const row_base&) = default;
};

/// No row is longer.
inline constexpr std::size_t max_row_bytes = 192;
/// The largest error that can take the place of another one (packed_rows::add_received): 16.7 ms.
inline constexpr nanos movable_errors = (nanos{1} << 24) - 1;
/// Whoever keeps rows keeps so many readable bytes behind the last one: fields are read eight bytes at a
/// time.
inline constexpr std::size_t row_slack = 8;

struct received_row;

/// Reads rows of one batch from the first on.
class row_cursor {
 public:
  /// @param at the first row; row_slack bytes behind the last are readable
  row_cursor(const row_base& base, const std::byte* at) : base_(&base), at_(at) {}

  /// The next row in full. @pre there is one
  void next(flow& f);
  /// Only what the rule asks of it.
  void next(question& q);
  /// Only the name of its near end. Not to be mixed with `next(flow&)`: a row is read after all before it.
  workload_id next_near_workload();

  /// A row as it lies there, to be put among others of its batch (packed_rows::add_copy).
  struct row {
    const std::byte* begin = nullptr;
    // Where the fields begin that depend on the row before, and those behind them.
    std::size_t index_gap_at = 0;
    std::size_t part_at = 0;
    std::uint32_t index = 0;
    std::uint64_t connection = 0;
  };
  /// The next row as it is. @pre there is one
  row next_row();

  /// Behind the row that was read last.
  const std::byte* at() const { return at_; }

 private:
  const row_base* base_;
  const std::byte* at_;
  std::uint32_t last_index_ = ~0U;
  std::uint64_t last_connection_ = 0;
};

/// Rows of one batch, one behind the other.
///
/// A row: its length (1 byte), a head of 48 bits that says how long each field is and carries the small ones,
/// then the fields, each in as many bytes as it needs of four lengths to choose from. Stamps are distances
/// from each other and from the base, in 64-bit arithmetic that wraps, so that every value survives. Index
/// and connection are distances from the row before. Behind them stand, where there are any, the number
/// of connections, 4 bytes, and what was dialled: port and address, 6 or 18. What neither the rule nor a
/// record reads is not kept: the initial sequence numbers and the errno of a failed connect.
class packed_rows {
 public:
  packed_rows() = default;
  /// @param rows with so many of common length it has to grow only once
  explicit packed_rows(const row_base& base, std::size_t rows = 0);

  /// @pre f.id and f.near_tenancy are of the base's incarnation and batch (or there is no near tenancy), and
  /// indices increase
  void add(const flow& f);
  /// The same, so that another error can take the place of its own: that has three bytes at least.
  void add_movable(const flow& f);
  /// As add, for a row of other rows with the same base, a few times faster.
  void add_copy(const row_cursor::row& of);

  /// The same for a row of another process. @param name of its near end; without one nothing is proved of it
  /// @param error in place of its own; at most movable_errors, as its own
  void add_received(const received_row& of, workload_id name, nanos error);

  /// Empties it, and keeps its room.
  void restart(const row_base& base) {
    base_ = base;
    used_ = 0;
    count_ = 0;
    last_index_ = ~0U;
    last_connection_ = 0;
  }

  const row_base& base() const { return base_; }
  /// Of the row added last. @pre there is one
  std::uint32_t last_index() const { return last_index_; }
  std::uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  /// Bytes that there is room for.
  std::size_t room() const { return bytes_.size(); }
  std::span<const std::byte> bytes() const { return {bytes_.data(), used_}; }

 private:
  void make_room();
  template <bool movable>
  void add_row(const flow& f);

  row_base base_;
  raw_vector<std::byte> bytes_;  // its size is the room there is
  std::size_t used_ = 0;
  std::uint32_t count_ = 0;
  std::uint32_t last_index_ = ~0U;
  std::uint64_t last_connection_ = 0;
};

}  // namespace tenure::hold
