#pragma once

#include <algorithm>

#include "ownership/flow.hpp"
#include "ownership/time.hpp"

namespace tenure {

/// The instants that a flow asks about, [first, last] with both ends included, and what a hull has to do with
/// them.
struct need {
  enum class demand {
    meet,     ///< hold at least one of them: the sure window, at each of whose instants the far end was there
    contain,  ///< hold all of them: somewhere among them the far end was there
  };
  enum class span { window, opening, life };

  need::demand demand = demand::contain;
  need::span span = span::life;
  nanos first = 0;
  nanos last = 0;

  /// A hull answers that begins at or before the one and ends after the other. Hulls are half-open: [100,
  /// 200) meets what ends at 100 and not what begins at 200.
  constexpr nanos begins_by() const { return demand == demand::meet ? last : first; }
  constexpr nanos ends_after() const { return demand == demand::meet ? first : last; }
  /// An empty hull never answers.
  constexpr bool met_by(const interval& hull) const {
    return !hull.empty() && hull.from <= begins_by() && hull.until > ends_after();
  }
};

/// The need of a flow whose stamps are off by at most `error`. Bounds that leave the 64 bits stay at their
/// ends: no hull begins at time_min (evidence::core) and none reaches beyond time_max, so nothing contains
/// them.
inline need needed(const flow_times& t, nanos error) {
  if (!t.is_established) {
    const nanos first = std::min(t.opened, t.closed);
    const nanos last = std::max({t.opened, t.closed, t.last_received});
    return {need::demand::contain, need::span::life, saturating_sub(first, error),
            saturating_add(last, error)};
  }
  const nanos window_first = saturating_add(t.established, error);
  const nanos window_last = saturating_sub(saturating_sub(t.last_received, t.transit), error);
  // Closed at both ends: what was accepted at last_received was sent at window_last or later, so the far end
  // held the endpoint at that very instant too, and a window of one instant is a window.
  if (window_first <= window_last) return {need::demand::meet, need::span::window, window_first, window_last};
  // Stamps of different kernel sources may be swapped by less than the error; the span holds both either way.
  const nanos first = std::min(t.opened, t.established);
  const nanos last = std::max(t.opened, t.established);
  return {need::demand::contain, need::span::opening, saturating_sub(first, error),
          saturating_add(last, error)};
}

}  // namespace tenure
