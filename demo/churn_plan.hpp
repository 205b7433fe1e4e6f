#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <vector>

#include "demo/catalogue.hpp"
#include "demo/pool.hpp"
#include "ownership/time.hpp"

namespace tenure::demo {

/// How an instance ends.
enum class death : std::uint8_t {
  graceful,  ///< it closes its connections, the platform says `del`, the addresses go
  crash,     ///< killed: the kernel still says goodbye for it, but the platform hears nothing
  vanish,    ///< the link is gone first: nobody hears anything
};

/// In a word, of static life.
std::string_view words(death d);

/// What the next owner is to the one before.
enum class succession : std::uint8_t {
  other,        ///< another workload
  same,         ///< the same workload, in a new instance
  there_first,  ///< another workload, for a short while: the first half of W, X, W
  back_again,   ///< the second half
};

/// One hand-over of one slot's addresses.
struct handover {
  slot_index slot = 0;
  death how = death::graceful;
  succession next_is = succession::other;
  workload_index next = 0;
  nanos vacant = 0;  ///< nobody has the addresses for this long; 0: as short as can be
};

/// What a slot is like, for choosing the next one.
struct slot_state {
  bool vacant = false;
  workload_index workload = 0;
  nanos since = 0;
};

/// Decides who dies when and who comes after. Pure: one seed, one plan. The first three are the nasty ones,
/// so that a short run has them too: one vanishes, one leaves its address vacant, one comes back (W, X, W).
class churn_plan {
 public:
  struct options {
    nanos between = 400 * millisecond;  ///< mean time from one hand-over to the next, in the whole fleet
    nanos shortest_stay = second;       ///< nobody dies younger, but in W, X, W
  };
  churn_plan(std::uint64_t seed, options o) : random_(seed), options_(o) {}

  /// When the next hand-over is due, counted from the last one.
  nanos pause();
  /// The next hand-over; nothing when everybody is still too young.
  std::optional<handover> next(const std::vector<slot_state>& slots, nanos now);
  /// A workload by the catalogue's weights.
  workload_index any_workload();
  std::uint64_t any_seed() { return random_(); }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

 private:
  struct return_due {
    slot_index slot;
    workload_index workload;
    nanos at;
  };
  death any_death();
  workload_index other_than(workload_index w);

  std::mt19937_64 random_;
  options options_;
  std::vector<return_due> returns_;
  std::size_t made_ = 0;  // hand-overs but returns
};

}  // namespace tenure::demo
