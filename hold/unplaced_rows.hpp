#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "hold/packed_flow.hpp"
#include "ownership/clock_shift.hpp"

namespace tenure::hold {

/// Rows of one batch as its agent stamped them, while it is not known what its clock showed. Then one shift
/// brings them all into our time as they lie there: their base moves, and their errors are filled in. So a
/// flow is taken out of its frame once, while that is in the cache, and waits in a third of the room.
class unplaced_rows {
 public:
  unplaced_rows() = default;
  /// @param base with a stamp of the agent's @param rows as for packed_rows
  explicit unplaced_rows(const row_base& base, std::size_t rows = 0);

  /// As packed_rows::add, with stamps of the agent's clock.
  void add(const flow& f);
  std::uint32_t count() const { return rows_.count(); }
  bool empty() const { return rows_.empty(); }

  /// All of them in our time. Leaves this one empty. @pre the shift was made after the last of their stamps
  /// @param place_one does it for the stamps of a flow that the shift does not reach: that are older, not
  /// known, or too far off
  packed_rows place(const clock_shift& shift, const std::function<void(flow_times&)>& place_one);

 private:
  struct mark {
    nanos first = 0;  ///< the earliest that any of its stamps may be; time_min: no shift reaches it
    std::uint32_t error_at = 0;  ///< in the rows
    std::uint32_t error = 0;     ///< the agent's own
  };
  packed_rows place_each(const row_base& base, const std::function<void(flow_times&)>& place_one) const;

  packed_rows rows_;
  std::vector<mark> marks_;
};

}  // namespace tenure::hold
