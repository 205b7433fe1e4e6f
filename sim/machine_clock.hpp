#pragma once

#include <vector>

#include "actors/clocks.hpp"
#include "agent/clock.hpp"
#include "sim/agenda.hpp"

namespace tenure::sim {

/// The boot-time clock of one simulated machine: a broken line over true time. It never runs backwards; it
/// stands still while its guest is paused.
class machine_clock final : public actors::node_clock, public agent::boot_clock {
 public:
  /// @param reading what it shows now
  /// @param rate_ppm how much faster than true time it runs; above -1,000,000
  machine_clock(const agenda& time, nanos reading, std::int64_t rate_ppm);

  nanos now() const override { return at(time_.now()); }
  nanos to_utc() const override { return utc_; }

  /// What it showed, or shows, at a true time that is not before its making.
  nanos at(nanos truth) const;

  /// From now on it runs at another rate; when it stands still, from its resumption on.
  void set_rate(std::int64_t rate_ppm);
  /// From now on it stands still, until `resume`.
  void pause();
  void resume();
  /// A step of the wall clock, which must not matter.
  void step_wall(nanos by) { utc_ += by; }

 private:
  __extension__ using wide = __int128;
  /// Readings in millionths of a nanosecond: whole nanoseconds would lose a part of one at each change.
  struct piece {
    nanos truth;
    wide reading;
    std::int64_t ppm;  ///< -1,000,000: it stands still
  };
  wide fine_reading(nanos truth) const;
  void begin_piece(std::int64_t ppm);

  const agenda& time_;
  std::vector<piece> pieces_;
  std::int64_t rate_ppm_;
  nanos utc_ = 0;
};

}  // namespace tenure::sim
