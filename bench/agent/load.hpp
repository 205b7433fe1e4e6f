#pragma once

#include <cstdint>

#include "bench/agent/arena.hpp"

namespace tenure::bench {

struct load_result {
  std::uint64_t connections = 0;  ///< made, answered and closed in order
  std::uint64_t failed = 0;
  double seconds = 0;
};

/// Connections from the client's namespace to the server's, at a steady pace: a request of 100 bytes, an
/// answer of 100, the server closes, then the client.
/// @param rate a second; what cannot be kept is not made up for, so look at the result
load_result run_load(const arena& where, double rate, double seconds);

}  // namespace tenure::bench
