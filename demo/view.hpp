#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "demo/fleet.hpp"
#include "demo/pool.hpp"
#include "demo/tally.hpp"

namespace tenure::demo {

/// What the live view shows, at one moment.
struct view_state {
  const tally& counts;
  const fleet_counters& churn;
  const std::deque<done_handover>& recent;  ///< newest first
  const pool& addresses;
  double elapsed = 0;           ///< seconds
  double of = 0;                ///< seconds
  double flows_per_second = 0;  ///< over the last few seconds
  nanos now = 0;                ///< boot-time clock
  std::uint64_t seed = 0;
};

/// The whole view as lines, no longer than `width` columns and no more than `height` of them.
std::string render_view(const view_state& v, std::size_t width, std::size_t height);

/// One line of it, for where there is no terminal.
std::string render_progress(const view_state& v);

}  // namespace tenure::demo
