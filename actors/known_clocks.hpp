#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "capnp/messages.hpp"
#include "ownership/clock_bound.hpp"

namespace tenure::actors {

/// What nodes told an agent of their clocks, for those that come back without a memory. Kept for as long as
/// the agent lives, a few brackets of each clock, the further apart the older they are, and the first one of
/// all. Any thread.
class known_clocks {
 public:
  static constexpr std::size_t most_clocks = 16;
  static constexpr std::size_t most_of_a_clock = 8;

  /// @param reading of our clock, now
  /// @returns false when nothing can be kept of it: none, or no bracket, or read later than now
  bool learn(const wire::clock_bracket& b, nanos reading);

  /// All of it; of each clock in the order of readings.
  std::vector<wire::clock_bracket> tell() const;

 private:
  using of_one_clock = std::vector<wire::clock_bracket>;
  static void thin_out(of_one_clock& all);

  mutable std::mutex mutex_;
  std::map<std::uint64_t, of_one_clock> all_;
};

static_assert(known_clocks::most_clocks * known_clocks::most_of_a_clock <= wire::max_hello_brackets);

/// A node hears again what was known of an agent's clock and of its own. @param now of its clock @pre nothing
/// was added to `to` @returns how many of them are not what the node could have said
std::size_t recall(const std::vector<wire::clock_bracket>& told, std::uint64_t own_clock, nanos now,
                   clock_bound& to);

}  // namespace tenure::actors
