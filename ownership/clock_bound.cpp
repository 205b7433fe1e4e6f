#include "ownership/clock_bound.hpp"

#include <algorithm>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

__extension__ using wide = __int128;

// Ours minus theirs lies in [low, high].
struct offset {
  wide low = 0;
  wide high = 0;
};

constexpr wide million = 1'000'000;

wide distance(nanos a, nanos b) {
  return a < b ? wide{b} - a : wide{a} - b;
}

// The bracket's offset as it may be at their stamp. The drift is at most `ppm` of the distance by either
// clock; by the slower one that is ppm / (1 - ppm) of it, rounded up.
offset widened(const bracket& b, nanos theirs, std::int64_t ppm) {
  const wide slower = million - ppm;
  const wide drift = (distance(b.theirs, theirs) * ppm + slower - 1) / slower;
  return {wide{b.sent} - b.theirs - drift, wide{b.received} - b.theirs + drift};
}

// What the offset may be at a stamp between two brackets. Their hull and not what both allow: a clock that
// stood still in between (a paused guest) for less than the brackets' own width leaves both allowing an
// offset that it never had.
offset between(const offset& a, const offset& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

// A round trip that met a busy machine bounds little, and its neighbour may be much tighter. How far to look.
constexpr std::ptrdiff_t neighbours = 8;

// The tightest of the brackets [first, last) at their stamp. Any of them may stand for its side: if the clock
// jumped, all jumps went the same way (a clock that stood still lost time, it won none), so the hull of one
// offset from before the stamp and one from after it holds what it was at the stamp.
template <class Iterator>
offset tightest(Iterator first, Iterator last, nanos theirs, std::int64_t ppm) {
  offset best = widened(*first, theirs, ppm);
  for (auto it = std::next(first); it != last; ++it) {
    const offset o = widened(*it, theirs, ppm);
    if (o.high - o.low < best.high - best.low) best = o;
  }
  return best;
}

bounded_stamp stamped(nanos theirs, const offset& o) {
  const wide low = theirs + o.low;
  const wide high = theirs + o.high;
  const wide middle = low + (high - low) / 2;
  if (low < time_min || high > time_max || high - middle > time_max) return {};  // no bound that can be said
  return {static_cast<nanos>(middle), static_cast<nanos>(high - middle)};
}

}  // namespace

clock_bound::clock_bound(std::int64_t drift_ppm, std::size_t memory, nanos spacing)
    : drift_ppm_(drift_ppm), memory_(memory), spacing_(spacing) {
  invariant(drift_ppm >= 0 && drift_ppm < million, "drift is 0 to 999,999 millionths");
  invariant(memory >= 2, "a stamp is bounded from both sides");
}

bool clock_bound::add(const bracket& b) {
  if (b.received < b.sent) return false;
  if (!brackets_.empty()) {
    const auto& last = brackets_.back();
    if (b.theirs < last.theirs || b.sent < last.sent || b.received < last.received) return false;
  }
  thin_out();
  brackets_.push_back(b);
  if (brackets_.size() > memory_) brackets_.pop_front();
  return true;
}

// Before a new bracket comes: what was the latest need not stay for being the latest any more.
void clock_bound::thin_out() {
  if (spacing_ == 0 || brackets_.size() < 3) return;
  auto last = std::prev(brackets_.end());
  auto before = std::prev(last);
  if (last->theirs - before->theirs >= spacing_) return;
  const auto width = [](const bracket& b) { return b.received - b.sent; };
  brackets_.erase(width(*last) < width(*before) ? before : last);
}

std::optional<bounded_stamp> clock_bound::convert(nanos theirs) const {
  const auto after = std::lower_bound(brackets_.begin(), brackets_.end(), theirs,
                                      [](const bracket& b, nanos stamp) { return b.theirs < stamp; });
  if (after == brackets_.end()) return std::nullopt;
  const auto end = after + std::min(neighbours, brackets_.end() - after);
  const offset late = tightest(after, end, theirs, drift_ppm_);
  if (after == brackets_.begin()) return stamped(theirs, late);
  const auto begin = after - std::min(neighbours, after - brackets_.begin());
  return stamped(theirs, between(tightest(begin, after, theirs, drift_ppm_), late));
}

}  // namespace tenure
