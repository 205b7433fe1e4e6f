#include "ownership/clock_bound.hpp"

#include <algorithm>

#include "ownership/invariant.hpp"

namespace tenure {

namespace {

__extension__ using wide = __int128;
__extension__ using unsigned_wide = unsigned __int128;

// Ours minus theirs lies in [low, high].
struct offset {
  wide low = 0;
  wide high = 0;
};

constexpr std::int64_t million = 1'000'000;

// A round trip that met a busy machine bounds little, and its neighbour may be much tighter. How far to look.
// Any of them may stand for its side: if the clock jumped, all jumps went the same way (a clock that stood
// still lost time, it won none), so the hull of one offset from before the stamp and one from after it holds
// what it was at the stamp.
constexpr std::size_t neighbours = 8;

// What is kept of the time before a silence, and before the first bracket.
constexpr std::size_t most_old = 16;
constexpr nanos silence = minute;

// Neither clock ran backwards from the one to the other.
bool follows(const bracket& a, const bracket& b) {
  return a.theirs <= b.theirs && a.sent <= b.sent && a.received <= b.received;
}

std::uint64_t distance(nanos a, nanos b) {
  return a < b ? static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a)
               : static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b);
}

// What the offset may be at a stamp between two brackets. Their hull and not what both allow: a clock that
// stood still in between (a paused guest) for less than the brackets' own width leaves both allowing an
// offset that it never had.
offset between(const offset& a, const offset& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

// The bracket's offset as it may be at a stamp that is `drift` of theirs away.
offset widened(const bracket& b, std::uint64_t drift) {
  return {wide{b.sent} - b.theirs - drift, wide{b.received} - b.theirs + drift};
}

bool is_within(const bracket& b, nanos bound) {
  const auto within = [bound](nanos n) { return n > -bound && n < bound; };
  return within(b.sent) && within(b.received) && within(b.theirs);
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
    : memory_(memory), spacing_(spacing) {
  invariant(drift_ppm >= 0 && drift_ppm < million / 2, "drift is 0 to 499,999 millionths");
  invariant(memory >= 2, "a stamp is bounded from both sides");
  const auto slower = static_cast<unsigned_wide>(million - drift_ppm);
  drift_share_ =
      static_cast<std::uint64_t>(((static_cast<unsigned_wide>(drift_ppm) << 64) + slower - 1) / slower);
}

bool clock_bound::add(const bracket& b) {
  if (b.received < b.sent) return false;
  if (!kept_.empty()) {
    if (!follows(kept_.back().of, b)) return false;
    if (distance(kept_.back().of.theirs, b.theirs) >= static_cast<std::uint64_t>(silence)) {
      keep_old(kept_[first_].of);
      keep_old(*latest());
    }
  } else if (!old_.empty() && !follows(old_.back(), b)) {
    old_.clear();  // what is seen now is not of the clocks that these were of
  }
  thin_out();
  if (kept_.size() == 2 * memory_) {
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
  if (kept_.empty()) origin_ = b.theirs;
  const nanos width = saturating_sub(b.received, b.sent);
  const auto drift = static_cast<nanos>(drift_over(distance(origin_, b.theirs)));
  const nanos both = saturating_add(drift, drift);
  kept_.push_back(
      {.of = b, .width_later = saturating_sub(width, both), .width_earlier = saturating_add(width, both)});
  if (kept_.size() - first_ > memory_) ++first_;
  find_tightest();
  find_hulls();
  find_stretches();
  return true;
}

bool clock_bound::recall(const bracket& b) {
  invariant(kept_.empty(), "what is recalled was before all that is added");
  if (b.received < b.sent || (!old_.empty() && !follows(old_.back(), b))) return false;
  keep_old(b);
  return true;
}

void clock_bound::keep_old(const bracket& b) {
  if (!old_.empty() && b.theirs <= old_.back().theirs) return;
  if (old_.size() == most_old) old_.erase(old_.begin());
  old_.push_back(b);
}

std::optional<bracket> clock_bound::latest() const {
  if (kept_.empty()) return std::nullopt;
  return tightest_before(kept_.size() - 1);
}

// Before a new bracket comes: what was the latest need not stay for being the latest any more.
void clock_bound::thin_out() {
  if (spacing_ == 0 || kept_.size() - first_ < 3) return;
  auto last = std::prev(kept_.end());
  auto before = std::prev(last);
  if (saturating_sub(last->of.theirs, before->of.theirs) >= spacing_) return;
  const auto width = [](const bracket& b) { return b.received - b.sent; };
  kept_.erase(width(last->of) < width(before->of) ? before : last);
}

// Of the latest, whose neighbours are new ones. By drift a bracket is as much wider at one later stamp as all
// others before it are, so which is tightest follows from one number for each side.
void clock_bound::find_tightest() {
  const std::size_t count = kept_.size();
  for (std::size_t i = count - std::min(count, neighbours + 1); i < count; ++i) {
    auto& k = kept_[i];
    k.tightest_before = k.tightest_after = 0;
    for (std::size_t n = 1; n < neighbours; ++n) {
      if (n <= i && kept_[i - n].width_later < kept_[i - k.tightest_before].width_later)
        k.tightest_before = static_cast<std::uint8_t>(n);
      if (i + n < count && kept_[i + n].width_earlier < kept_[i + k.tightest_after].width_earlier)
        k.tightest_after = static_cast<std::uint8_t>(n);
    }
  }
}

// Of the stretches whose ends have another neighbour now.
void clock_bound::find_hulls() {
  const std::size_t count = kept_.size();
  for (std::size_t i = std::max(first_ + 1, count - std::min(count, neighbours + 1)); i < count; ++i) {
    auto& k = kept_[i];
    const auto& early = tightest_before(i - 1);
    const auto& late = kept_[i + k.tightest_after].of;
    k.low = time_min;
    k.high = time_max;
    if (!is_within(early, small) || !is_within(late, small)) continue;
    const auto after_early = drift_of(k.of.theirs - early.theirs);
    const auto before_late = drift_of(late.theirs - kept_[i - 1].of.theirs);
    k.low = std::min(early.sent - early.theirs - after_early, late.sent - late.theirs - before_late);
    k.high = std::max(early.received - early.theirs + after_early, late.received - late.theirs + before_late);
  }
}

void clock_bound::find_stretches() {
  const std::size_t count = std::min(recent, kept_.size() - first_);
  unknown_ = recent - count;
  quick_ = count >= 2;
  first_reading_ = (old_.empty() ? kept_[first_].of : old_.front()).theirs;
  readings_.fill(time_min);
  ordered_readings_.fill(in_order(time_min));
  for (std::size_t n = 0; n < count && quick_; ++n) {
    const std::size_t at = kept_.size() - count + n;
    readings_[unknown_ + n] = kept_[at].of.theirs;
    ordered_readings_[unknown_ + n] = in_order(kept_[at].of.theirs);
    if (n == 0) continue;  // for what lies before the first of them, all are looked at
    const auto& early = tightest_before(at - 1);
    const auto& late = kept_[at + kept_[at].tightest_after].of;
    quick_ = is_within(early, small) && is_within(late, small);
    if (!quick_) return;  // the differences below might not be numbers
    stretches_[unknown_ + n] = {early.theirs, early.sent - early.theirs, early.received - early.theirs,
                                late.theirs,  late.sent - late.theirs,   late.received - late.theirs};
  }
}

// One that is forgotten may still be the tightest; one that is gone may not.
const bracket& clock_bound::tightest_before(std::size_t i) const {
  return kept_[i - std::min<std::size_t>(kept_[i].tightest_before, i)].of;
}

// Stamps come in swarms: mostly the place is that of the one before, or next to it.
std::size_t clock_bound::first_at_or_after(nanos theirs) const {
  const auto is_it = [&](std::size_t i) {
    return i >= first_ && i <= kept_.size() && (i == kept_.size() || theirs <= kept_[i].of.theirs) &&
           (i == first_ || kept_[i - 1].of.theirs < theirs);
  };
  if (is_it(found_)) return found_;
  for (const std::size_t i : {found_ - 1, found_ + 1})
    if (is_it(i)) return found_ = i;
  const auto at = std::lower_bound(kept_.begin() + static_cast<std::ptrdiff_t>(first_), kept_.end(), theirs,
                                   [](const kept_bracket& b, nanos s) { return b.of.theirs < s; });
  return found_ = static_cast<std::size_t>(at - kept_.begin());
}

std::optional<bounded_stamp> clock_bound::convert_any(nanos theirs) const {
  const std::size_t after = first_at_or_after(theirs);
  if (after == kept_.size()) return std::nullopt;
  const auto at_stamp = [&](const bracket& b) { return widened(b, drift_over(distance(b.theirs, theirs))); };
  const offset late = at_stamp(kept_[after + kept_[after].tightest_after].of);
  if (after == first_) return convert_old(theirs);
  return stamped(theirs, between(at_stamp(tightest_before(after - 1)), late));
}

// Before the first that is kept.
std::optional<bounded_stamp> clock_bound::convert_old(nanos theirs) const {
  const auto at_stamp = [&](const bracket& b) { return widened(b, drift_over(distance(b.theirs, theirs))); };
  const auto& first = kept_[first_];
  offset late = at_stamp(kept_[first_ + first.tightest_after].of);
  const auto next = std::lower_bound(old_.begin(), old_.end(), theirs,
                                     [](const bracket& b, nanos s) { return b.theirs < s; });
  if (next != old_.end() && next->theirs <= first.of.theirs) late = at_stamp(*next);
  if (next == old_.begin()) return stamped(theirs, late);
  return stamped(theirs, between(at_stamp(*std::prev(next)), late));
}

std::optional<bounded_stamp> clock_bound::carry_both_ends(const bounded_stamp& theirs) const {
  if (theirs.error == 0) return convert(theirs.time);
  if (empty() || kept_.back().of.theirs < theirs.time) return std::nullopt;
  if (theirs.error == unknown_error) return bounded_stamp{theirs.time, unknown_error};
  const auto early = convert(saturating_sub(theirs.time, theirs.error));
  const auto late = convert(std::min(saturating_add(theirs.time, theirs.error), kept_.back().of.theirs));
  if (!early || !late) return std::nullopt;
  if (early->error == unknown_error || late->error == unknown_error)
    return bounded_stamp{late->time, unknown_error};
  const nanos from = saturating_sub(early->time, early->error);
  const nanos until = saturating_add(late->time, late->error);
  if (until < from) return bounded_stamp{theirs.time, unknown_error};
  const auto middle = static_cast<nanos>((wide{from} + until) / 2);
  return bounded_stamp{middle, std::max(saturating_sub(middle, from), saturating_sub(until, middle))};
}

}  // namespace tenure
