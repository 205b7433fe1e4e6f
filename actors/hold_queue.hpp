#pragma once

#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "actors/lot.hpp"
#include "ownership/time.hpp"

namespace tenure::actors {

/// When flows leave the hold.
enum class release : std::uint8_t {
  full,   ///< when the hold is over
  early,  ///< as soon as the rule attributes them: waiting would add nothing, since answers never change
};

/// How long flows wait.
struct hold_settings {
  nanos hold = 60 * second;  ///< from arrival; not negative
  /// What lacks nothing but evidence may wait so long in all; no effect when it is not more than `hold`.
  nanos longest = 0;
  release when = release::full;
};

/// How long a flow waits on each rung before it is asked about again. On the last it is resolved for good; on
/// each earlier one, unless it lacks evidence only, too.
std::vector<nanos> rungs_of(const hold_settings& settings);

/// Rows that wait, in large blocks, in the order of arrival on each rung, which is the order of release: a
/// rung's wait is one for all. Rows of many batches that come within a moment leave as one lot. One thread at
/// a time.
class hold_queue {
 public:
  hold_queue(const hold_settings& settings, std::shared_ptr<hold::block_pool> memory);

  /// Copies the lot's rows.
  void push(const flow_lot& lot, nanos now);

  /// Takes out what is due, at most a moment early or late for the first of its flows, never early for any.
  /// @param most flows, after which no further lot is taken
  std::vector<due_lot_ptr> due(nanos now, std::size_t most = std::numeric_limits<std::size_t>::max());

  /// When the next lot is due; nothing when none waits.
  std::optional<nanos> next_due() const;

  /// From now on everything is due at once, and for good.
  void end_hold();

  std::size_t flows() const { return flows_; }
  /// What they take, used room in blocks and what is kept for each batch.
  std::size_t bytes() const { return bytes_; }

 private:
  struct waiting_lot {
    std::shared_ptr<due_lot> lot;
    std::size_t used = 0;  ///< bytes of rows
    nanos first = 0;       ///< arrival
    nanos due = 0;         ///< of the last that arrived
  };
  struct rung {
    nanos wait = 0;
    std::deque<waiting_lot> lots;
    // The block being filled; rows of one lot never lie in two.
    hold::block_ptr block;
    std::size_t used = 0;
  };

  std::byte* room(rung& r, std::size_t bytes, nanos now);

  std::vector<rung> rungs_;
  std::shared_ptr<hold::block_pool> memory_;
  std::size_t flows_ = 0;
  std::size_t bytes_ = 0;
  bool ended_ = false;
};

}  // namespace tenure::actors
