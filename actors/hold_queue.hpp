#pragma once

#include <array>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/lot.hpp"
#include "ownership/heartbeat_pace.hpp"

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

/// How long a flow waits before it is asked about for the first time. With early release that is a quarter of
/// a heartbeat: nearly all wait for the next one.
/// @param heartbeat how far heartbeats are apart; positive
nanos first_wait(const hold_settings& settings, nanos heartbeat);

/// When a flow is asked about again that was asked about now and lacked evidence only. Then, at `arrived` and
/// the longest wait, it is resolved for good; sooner only with early release: after a quarter of a heartbeat,
/// so that it leaves at most so long after it could have. Once a heartbeat and a quarter have gone by, what
/// it waits for seldom comes with the next one: from then on when it has waited for half as long again.
/// @param heartbeat how far heartbeats are apart; positive
nanos next_asked(const hold_settings& settings, nanos arrived, nanos now, nanos heartbeat);

/// Rows that wait, in large blocks. Those that come for the first time are in the order of arrival, which is
/// the order of release, and rows of many batches that come within a moment leave as one lot; what is left of
/// a lot after it was asked about waits on, until it is asked about again. One thread at a time.
class hold_queue {
 public:
  hold_queue(const hold_settings& settings, std::shared_ptr<hold::block_pool> memory);

  /// Copies the lot's rows.
  void push(const flow_lot& lot, nanos now);
  /// Copies the rows of what is left of a lot. @param heartbeat as for next_asked; from now on also for what
  /// comes
  void push_again(const due_lot& left, nanos now, nanos heartbeat);

  /// Takes out what is due, at most a moment early or late for the first of its flows, never early for any.
  /// @param most flows, after which no further lot is taken
  std::vector<due_lot_ptr> due(nanos now, std::size_t most = std::numeric_limits<std::size_t>::max());

  /// When the next lot is due; nothing when none waits.
  std::optional<nanos> next_due() const;

  /// From now on everything is due at once, and for good.
  void end_hold() { ended_ = true; }

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
  /// A block being filled; rows of one lot never lie in two.
  struct filling {
    hold::block_ptr block;
    std::size_t used = 0;
  };

  /// @returns whether it went on in the same block
  bool make_room(filling& in, std::size_t bytes);
  waiting_lot begin_lot(const filling& in, nanos arrived, bool last);
  void add(waiting_lot& to, filling& in, const lot_part& part, const std::byte* rows);
  due_lot_ptr take(waiting_lot& w);

  hold_settings settings_;
  nanos longest_;
  std::shared_ptr<hold::block_pool> memory_;
  std::deque<waiting_lot> fresh_;
  std::multimap<nanos, waiting_lot> again_;  ///< by when they are due
  filling fresh_block_;
  /// By how long they wait: what waits long would keep the memory of what does not.
  std::array<filling, 8> again_blocks_;
  std::size_t flows_ = 0;
  std::size_t bytes_ = 0;
  nanos heartbeat_ = heartbeat_pace{}.typical();
  bool ended_ = false;
};

}  // namespace tenure::actors
