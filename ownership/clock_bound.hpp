#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ownership/time.hpp"

namespace tenure {

/// What one ping proves about another clock: it read `theirs` at some instant of ours in [sent, received].
struct bracket {
  nanos sent = 0;
  nanos received = 0;
  nanos theirs = 0;
};

/// A foreign stamp in our time.
struct bounded_stamp {
  nanos time = 0;
  nanos error = unknown_error;  ///< the true time lies in [time - error, time + error]
};

/// Bounds the offset between one agent's boot-time clock and ours from bracketed pings. Between brackets the
/// clocks may drift apart by at most `drift_ppm` of the distance (A3 in docs/proof.md). One incarnation of
/// one agent; one thread at a time.
class clock_bound {
 public:
  /// @param drift_ppm how fast the two clocks may drift apart, in millionths; less than half a million.
  /// @param memory how many brackets are kept; the oldest go first.
  /// @param spacing of what is kept: of two brackets that were read closer to each other the wider one goes,
  /// so that many pings in a short time push nothing out. The first and the latest one stay.
  explicit clock_bound(std::int64_t drift_ppm = 200, std::size_t memory = 128, nanos spacing = 0);

  /// @returns false, and counts nothing, when the bracket is not one: received before sent, or their clock or
  /// ours ran backwards since the last one.
  bool add(const bracket& b);

  /// What was known of the same two clocks before this process, or before its memory of them began: they run
  /// on. It bounds the stamps that are older than all that is added. The oldest of many go first. The caller
  /// answers for whose statement it is.
  /// @pre nothing was added yet @returns false when it is no bracket, or not after the last one
  bool recall(const bracket& b);

  /// The tightest of the latest brackets; nothing while there is none.
  std::optional<bracket> latest() const;

  /// Our time for their stamp: the hull of what two brackets allow, one at or before it and one at or after
  /// it, each widened by drift. On either side the tightest of the nearest eight is taken, since a round trip
  /// that met a busy machine bounds little. A pause or a step among these brackets is inside the error,
  /// however long or short; of several steps, all in one direction. Without a bracket at or after the stamp
  /// there is no answer yet. Without one before it (the stamp is older than the first bracket that is kept)
  /// only drift is bounded, not a pause in between. What was known before a silence of a minute stays known
  /// beyond `memory`: all that was observed meanwhile comes at its end.
  std::optional<bounded_stamp> convert(nanos theirs) const {
    if (!quick_) return convert_any(theirs);
    const std::size_t before = place_of(theirs);
    if (before <= unknown_) return convert_any(theirs);
    if (before == recent) return std::nullopt;
    return hull(stretches_[before].low_at(*this, theirs), stretches_[before].high_at(*this, theirs));
  }

  /// The same for a stamp that is bounded in their time already: by the agent, or of another host, converted
  /// by their node. Crossing to our node adds our bracket of it: the hull of where both of its ends may lie.
  /// What it stands for has happened when the latest bracket was read, so nothing later is asked for; there
  /// is no answer when the stamp itself lies beyond. Of a clock that jumped to and fro, of which the bounds
  /// of one end may contradict those of the other, nothing is known.
  std::optional<bounded_stamp> carry(const bounded_stamp& theirs) const {
    if (theirs.error == 0) return convert(theirs.time);
    // Beyond the oldest of the latest brackets, and not by more than a number holds.
    if (!quick_ || theirs.error > small || theirs.time <= readings_[unknown_]) return carry_both_ends(theirs);
    if (theirs.time > readings_.back()) return std::nullopt;
    const nanos first = theirs.time - theirs.error;
    const nanos last = std::min(theirs.time + theirs.error, readings_.back());
    const std::size_t before = place_of(first);
    if (before <= unknown_) return carry_both_ends(theirs);
    const nanos low = stretches_[before].low_at(*this, first);
    const nanos high = stretches_[place_of(last)].high_at(*this, last);
    return low <= high ? hull(low, high) : bounded_stamp{theirs.time, unknown_error};
  }

  /// Whether a kept bracket was read at or before this stamp. Without one, `convert` bounds only how late the
  /// stamp may be: a clock that stood still since then shows more of our time behind it than its reading
  /// says.
  bool bracketed_before(nanos theirs) const { return first_reading_ <= theirs && !empty(); }

  bool empty() const { return kept_.empty(); }

  /// A stretch between two readings of their clock. Wherever a stamp lies in it, both ends included, ours
  /// minus theirs is in [low, high]; time_min and time_max where that is no number.
  struct known_stretch {
    nanos from = 0;
    nanos until = 0;
    nanos low = time_min;
    nanos high = time_max;
  };
  /// Calls visit(known_stretch) for those between the brackets that are kept, the latest first, until it
  /// returns false. They lie end to end.
  template <class Visit>
  void each_stretch_back(Visit&& visit) const {
    for (std::size_t i = kept_.size(); i > first_ + 1; --i) {
      const auto& k = kept_[i - 1];
      if (!visit(known_stretch{kept_[i - 2].of.theirs, k.of.theirs, k.low, k.high})) return;
    }
  }

 private:
  /// A bracket, with the tightest of its neighbours. A bracket's width grows with the distance of a stamp,
  /// equally for all on its side, so the tightest is the same for every stamp: it is looked for once.
  struct kept_bracket {
    bracket of;
    // How wide it is at any later, and at any earlier stamp, but for what is the same for all brackets.
    nanos width_later = 0;
    nanos width_earlier = 0;
    // Of the stretch that ends with it (known_stretch).
    nanos low = time_min;
    nanos high = time_max;
    std::uint8_t tightest_before = 0;  ///< so many places back, for stamps from here on
    std::uint8_t tightest_after = 0;   ///< so many places on, for stamps up to here
  };

  /// What bounds the stamps from one bracket to the next: offsets of one before and of one after them.
  struct stretch {
    nanos early_reading = 0;
    nanos early_low = 0;
    nanos early_high = 0;
    nanos late_reading = 0;
    nanos late_low = 0;
    nanos late_high = 0;

    /// The earliest and the latest that a stamp within it may be. @pre it is within
    nanos low_at(const clock_bound& of, nanos theirs) const {
      return theirs + std::min(early_low - of.drift_of(theirs - early_reading),
                               late_low - of.drift_of(late_reading - theirs));
    }
    nanos high_at(const clock_bound& of, nanos theirs) const {
      return theirs + std::max(early_high + of.drift_of(theirs - early_reading),
                               late_high + of.drift_of(late_reading - theirs));
    }
  };
  static constexpr std::size_t recent = 8;
  static constexpr nanos small = nanos{1} << 58;  // nine years: sums of three of these stay within 64 bits

  static bounded_stamp hull(nanos low, nanos high) {
    const nanos middle = low + (high - low) / 2;
    return {middle, high - middle};
  }
  /// How many of the latest readings lie before it. Most stamps lie among them, and a comparison costs less
  /// than guessing wrong where.
  std::size_t place_of(nanos theirs) const {
    const std::uint64_t it = in_order(theirs);
    std::size_t before = 0;
#pragma GCC unroll 8
    for (std::size_t i = 0; i < recent; ++i) before += ordered_readings_[i] < it ? 1 : 0;
    return before;
  }
  /// Numbers without a sign in the same order: the processor adds what their comparison leaves behind.
  static std::uint64_t in_order(nanos n) {
    return static_cast<std::uint64_t>(n) ^ std::uint64_t{1} << 63;
  }

  std::optional<bounded_stamp> convert_any(nanos theirs) const;
  std::optional<bounded_stamp> carry_both_ends(const bounded_stamp& theirs) const;
  /// @pre distance is not negative
  nanos drift_of(nanos distance) const {
    return static_cast<nanos>(drift_over(static_cast<std::uint64_t>(distance)));
  }
  std::optional<bounded_stamp> convert_old(nanos theirs) const;
  void keep_old(const bracket& b);
  void find_stretches();
  std::size_t first_at_or_after(nanos theirs) const;
  __extension__ using wide = __int128;
  std::uint64_t drift_over(std::uint64_t distance) const {
    __extension__ using unsigned_wide = unsigned __int128;
    constexpr auto up = ~std::uint64_t{0};
    return static_cast<std::uint64_t>((static_cast<unsigned_wide>(distance) * drift_share_ + up) >> 64);
  }
  void thin_out();
  void find_tightest();
  void find_hulls();
  const bracket& tightest_before(std::size_t i) const;

  /// Drift by the slower clock, ppm / (1 - ppm), times 2^64 and rounded up.
  std::uint64_t drift_share_;
  std::size_t memory_;
  nanos spacing_;
  nanos origin_ = 0;                // the first reading of all that were added
  std::vector<kept_bracket> kept_;  // those before first_ are forgotten
  std::size_t first_ = 0;
  std::vector<bracket> old_;       // before those, a few
  mutable std::size_t found_ = 0;  // where the last stamp was placed
  // Of the latest brackets, the readings and what lies before each; in 64 bits, if quick_. While there are
  // fewer brackets, the first unknown_ places stand for none.
  std::array<nanos, recent> readings_{};
  std::array<std::uint64_t, recent> ordered_readings_{};  // the same
  std::array<stretch, recent> stretches_{};
  std::size_t unknown_ = 0;
  bool quick_ = false;
  nanos first_reading_ = time_max;  // of all that is kept
};

}  // namespace tenure
