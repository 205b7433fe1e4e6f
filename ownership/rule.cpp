#include "ownership/rule.hpp"

#include <algorithm>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

// What a hull has to do with the needed instants [first, last], both ends included.
enum class demand { meet, contain };

struct need {
  tenure::demand demand = demand::contain;
  nanos first = 0;
  nanos last = 0;
};

// The instants that the flow's stamps, each off by at most `error`, ask about. Bounds that leave the 64 bits
// stay at their ends: no hull begins at time_min (evidence::core) and none reaches beyond time_max, so
// nothing contains them.
need needed(const flow_times& t, nanos error) {
  if (!t.is_established) {
    const nanos first = std::min(t.opened, t.closed);
    const nanos last = std::max({t.opened, t.closed, t.last_received});
    return {demand::contain, saturating_sub(first, error), saturating_add(last, error)};
  }
  const nanos window_first = saturating_add(t.established, error);
  const nanos window_last = saturating_sub(saturating_sub(t.last_received, t.transit), error);
  // Closed at both ends: what was accepted at last_received was sent at window_last or later, so the far end
  // held the endpoint at that very instant too, and a window of one instant is a window.
  if (window_first <= window_last) return {demand::meet, window_first, window_last};
  // Stamps of different kernel sources may be swapped by less than the error; the span holds both either way.
  const nanos first = std::min(t.opened, t.established);
  const nanos last = std::max(t.opened, t.established);
  return {demand::contain, saturating_sub(first, error), saturating_add(last, error)};
}

// Hulls are half-open: [100, 200) meets what ends at 100 and not what begins at 200.
bool qualifies(const interval& hull, const need& n) {
  if (hull.empty()) return false;
  if (n.demand == demand::meet) return hull.from <= n.last && hull.until > n.first;
  return hull.from <= n.first && hull.until > n.last;
}

template <class Visit>
void each(std::span<const holding> port, std::span<const holding> whole, Visit&& visit) {
  for (const auto& h : port) visit(h);
  for (const auto& h : whole) visit(h);
}

// Where the needed instants lie among the hulls, once it is known that no hull answers.
reason place(std::span<const holding> port, std::span<const holding> whole, const need& n) {
  bool any_sure = false;
  each(port, whole, [&](const holding& h) { any_sure |= !h.sure.empty(); });
  nanos first = time_max;
  nanos last = time_min;
  each(port, whole, [&](const holding& h) {
    const interval& hull = any_sure ? h.sure : h.said;
    if (hull.empty()) return;
    first = std::min(first, hull.from);
    last = std::max(last, hull.until);
  });
  if (n.first < first) return reason::before_first;
  if (n.last >= last) return reason::after_last;
  return reason::between;
}

reason why_none(std::span<const holding> port, std::span<const holding> whole, const flow_times& times) {
  if (port.empty() && whole.empty()) return reason::no_evidence;
  const need without_errors = needed(times, 0);
  bool covered = false;
  each(port, whole, [&](const holding& h) { covered |= qualifies(h.said, without_errors); });
  if (covered) return reason::clock;
  const bool known = times.error != unknown_error;
  return place(port, whole, known ? needed(times, times.error) : without_errors);
}

}  // namespace

verdict resolve(std::span<const holding> port, std::span<const holding> whole, const flow_times& times) {
  invariant(times.error >= 0 && times.transit >= 0, "a flow's error and transit are never negative");
  if (times.error == unknown_error) return unattributed(why_none(port, whole, times));

  const need n = needed(times, times.error);
  verdict answer;
  bool conflict = false;
  each(port, whole, [&](const holding& h) {
    if (!qualifies(h.sure, n)) return;
    if (!answer.attributed()) {
      answer = {h.workload, h.tenancy, basis::tenancy, reason::none};
      return;
    }
    conflict |= h.workload != answer.workload;
    answer.tenancy = std::min(answer.tenancy, h.tenancy);
  });
  if (conflict) return unattributed(reason::conflict);
  if (!answer.attributed()) return unattributed(why_none(port, whole, times));
  return answer;
}

}  // namespace tenure
