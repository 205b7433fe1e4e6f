#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "actors/lot.hpp"
#include "ownership/time.hpp"

namespace tenure::actors {

/// Lots waiting for the end of their hold, in order of arrival, which is the order of release: the hold is
/// one for all.
class hold_queue {
 public:
  /// @param hold not negative
  explicit hold_queue(nanos hold) : hold_(hold) {}

  void push(flow_lot_ptr lot, nanos now) { lots_.push_back({std::move(lot), saturating_add(now, hold_)}); }

  /// Takes out what is due.
  std::vector<flow_lot_ptr> due(nanos now) {
    std::vector<flow_lot_ptr> out;
    while (!lots_.empty() && lots_.front().due <= now) {
      out.push_back(std::move(lots_.front().lot));
      lots_.pop_front();
    }
    return out;
  }

  /// When the next lot is due; nothing when none waits.
  std::optional<nanos> next_due() const {
    if (lots_.empty()) return std::nullopt;
    return lots_.front().due;
  }

  /// From now on everything is due at once.
  void end_hold() {
    hold_ = 0;
    for (auto& l : lots_) l.due = time_min;
  }

 private:
  struct held_lot {
    flow_lot_ptr lot;
    nanos due;
  };
  nanos hold_;
  std::deque<held_lot> lots_;
};

}  // namespace tenure::actors
