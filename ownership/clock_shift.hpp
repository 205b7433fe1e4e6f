#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "ownership/clock_bound.hpp"

namespace tenure {

/// One offset for all stamps of an agent's last minute: what clock_bound::convert says of each of them, said
/// of all together. Less exact, by how far the two clocks drifted apart meanwhile and by what their brackets
/// differ, and for the same reasons sound: the error covers, for every stretch from the first stamp on, the
/// hull of what convert allows in it. In exchange a stamp is an addition, and a flow's error is one look into
/// a table.
class clock_shift {
 public:
  /// What is known of the clock now.
  explicit clock_shift(const clock_bound& clock);

  /// To be added to a stamp of theirs to have ours.
  nanos offset() const { return offset_; }

  /// How far off each stamp of [first, latest reading] may be then, first as early as it may be. A bracket
  /// was read before all of them. @returns unknown_error where `first` is too long ago, or that is not so
  nanos error_since(nanos first) const {
    if (first > latest_) first = latest_;
    const auto ago = static_cast<std::uint64_t>(latest_) - static_cast<std::uint64_t>(first);
    const std::uint64_t step = ago >> step_bits;
    return step < steps_ ? errors_[step] : unknown_error;
  }

 private:
  static constexpr unsigned step_bits = 28;  // a quarter of a second
  static constexpr std::size_t most_steps = 256;

  nanos offset_ = 0;
  nanos latest_ = time_min;
  std::size_t steps_ = 0;
  std::array<nanos, most_steps> errors_;  // those before steps_ say something
};

}  // namespace tenure
